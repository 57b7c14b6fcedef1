// Brings a page of unknown make to rest, and says what its elements want: {wishes: [[address, 'photo' | 'drawn']]}.
async ({ scroll, wait }) => {
  const rest = document.documentElement.scrollHeight - innerHeight;
  if (scroll > 0 && rest > 0) scrollTo(0, Math.round(rest * scroll));
  await __diptychWait(wait);
  const limited = (promise) => Promise.race([promise, __diptychWait(3000)]);
  await limited(document.fonts.ready);
  // Waited for, not decoded: one that was decoded whole is scaled in another way than one that is decoded while drawn.
  await limited(Promise.all([...document.images].filter((image) => !image.complete && image.loading !== 'lazy')
    .map((image) => new Promise((done) => { image.addEventListener('load', done); image.addEventListener('error', done); }))));
  for (const video of document.querySelectorAll('video')) {
    video.pause();
    if (video.readyState < 2 || !Number.isFinite(video.duration)) continue;
    const seeked = new Promise((done) => video.addEventListener('seeked', done, { once: true }));
    video.currentTime = Math.min(1, video.duration / 2);
    await limited(seeked);
  }
  await __diptychStop();
  const wishes = [];
  for (const marked of document.querySelectorAll('[data-diptych]')) {
    const want = marked.dataset.diptych;
    for (const element of [marked, ...marked.querySelectorAll('*')]) {
      if (element.closest('[data-diptych]') !== marked) continue;
      if (element.currentSrc) wishes.push([element.currentSrc, want]);
      if (element.href?.baseVal) wishes.push([new URL(element.href.baseVal, document.baseURI).href, want]);
      for (const found of getComputedStyle(element).backgroundImage.matchAll(/url\("([^"]*)"\)/g)) wishes.push([found[1], want]);
    }
  }
  return wishes;
}
