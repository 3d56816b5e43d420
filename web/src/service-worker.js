/** Keeps the page's own files at the first visit, and answers with them whenever the network does not. */
const FILES = __FILES__
const CACHE = 'aniembed-__VERSION__'

addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(FILES.map((file) => new Request(file, { cache: 'no-cache' }))))
      .then(() => skipWaiting()),
  )
})

addEventListener('activate', (event) => {
  const outdated = (names) => names.filter((name) => name.startsWith('aniembed-') && name !== CACHE)
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(outdated(names).map((name) => caches.delete(name))))
      .then(() => clients.claim()),
  )
})

async function answer(event) {
  let response
  try {
    response = await fetch(event.request)
  } catch (error) {
    // ignoreVary: where a host varies its answers by Origin, the kept one is still the page's own.
    const cache = await caches.open(CACHE)
    const kept = await cache.match(event.request, { ignoreSearch: true, ignoreVary: true })
    if (kept) return kept
    throw error
  }
  // Not awaited: the answer is good even where there is no room to keep it.
  if (response.ok) {
    const copy = response.clone()
    event.waitUntil(caches.open(CACHE).then((cache) => cache.put(event.request, copy)))
  }
  return response
}

addEventListener('fetch', (event) => {
  // Covers come from another host: the browser's own cache keeps those.
  if (event.request.method === 'GET' && new URL(event.request.url).origin === location.origin)
    event.respondWith(answer(event))
})
