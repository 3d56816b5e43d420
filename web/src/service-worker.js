/** Offline: the page's own files are kept at the first visit, and used whenever the network does not answer. */
const FILES = __FILES__
const CACHE = 'aniembed-__VERSION__'

addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)).then(() => skipWaiting()))
})

addEventListener('activate', (event) => {
  const outdated = (names) => names.filter((name) => name.startsWith('aniembed-') && name !== CACHE)
  event.waitUntil(caches.keys().then((names) => Promise.all(outdated(names).map((name) => caches.delete(name)))).then(() => clients.claim()))
})

async function answer(request) {
  try {
    const response = await fetch(request)
    if (response.ok) {
      const cache = await caches.open(CACHE)
      await cache.put(request, response.clone())
    }
    return response
  } catch (error) {
    const kept = await caches.match(request, { ignoreSearch: true })
    if (kept) return kept
    throw error
  }
}

addEventListener('fetch', (event) => {
  // Covers come from another host: the browser's own cache keeps those.
  if (event.request.method === 'GET' && new URL(event.request.url).origin === location.origin) event.respondWith(answer(event.request))
})
