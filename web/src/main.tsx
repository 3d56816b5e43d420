import { createRoot } from 'react-dom/client'
import { App } from './App'
import './style.css'

// Kept for the next visit without a network; the development server has no such file.
if (import.meta.env.PROD && 'serviceWorker' in navigator)
  void navigator.serviceWorker.register('./service-worker.js')

createRoot(document.getElementById('root')!).render(<App />)
