// Shows another picture in place of each photograph: `table` gives the new URL by the one that the page was made with.
// Called again, it exchanges the same elements. Sizes are the same, so nothing moves.
async (table) => {
  const known = (globalThis.__diptychShown ??= new Map());
  if (!known.size) {
    for (const image of document.images) if (image.currentSrc in table) known.set(image, image.currentSrc);
    for (const image of document.querySelectorAll('svg image')) {
      const address = new URL(image.href.baseVal, document.baseURI).href;
      if (address in table) known.set(image, address);
    }
  }
  await Promise.all([...known].map(([image, address]) => new Promise((done, failed) => {
    image.addEventListener('load', done, { once: true });
    image.addEventListener('error', () => failed(new Error('a filling did not load')), { once: true });
    if (image instanceof SVGImageElement) image.setAttribute('href', table[address]);
    else image.src = table[address];
  })));
}
