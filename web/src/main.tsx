import { createRoot } from 'react-dom/client'
import { App } from './App'
import './style.css'
import './panels/view.css'
import './panels/panels.css'
import './devices.css'

// Keeps the page for visits without a network. The development server and the single file have none.
if (import.meta.env.MODE === 'production' && 'serviceWorker' in navigator)
  void navigator.serviceWorker.register('./service-worker.js')

createRoot(document.getElementById('root')!).render(<App />)
