// Waits until fonts are there, and makes pictures of the inline drawings: Chromium draws the edges of inline SVG in one of
// two ways from frame to frame, those of an SVG picture always in the same way.
//
// Photographs are there, for this runs after the page's load event. They are not decoded here: one that was decoded whole
// is scaled in another way than one that is decoded while it is drawn.
async () => {
  await document.fonts.ready;
  const names = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules])
    .filter((rule) => rule.selectorText === ':root').flatMap((rule) => [...rule.style]).filter((name) => name.startsWith('--'));
  const known = [...new Set(names)];
  const made = [];
  for (const drawing of document.querySelectorAll('svg')) {
    if (drawing.querySelector('image')) continue;
    const style = getComputedStyle(drawing);
    const copy = drawing.cloneNode(true);
    copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
    copy.setAttribute('width', parseFloat(style.width));
    copy.setAttribute('height', parseFloat(style.height));
    for (const name of known) copy.style.setProperty(name, style.getPropertyValue(name));
    for (const name of ['color', 'font-family', 'font-size']) copy.style.setProperty(name, style[name]);
    copy.style.flex = copy.style.position = '';
    const picture = new Image();
    picture.setAttribute('class', drawing.getAttribute('class') || '');
    picture.style.cssText = `${drawing.getAttribute('style') || ''};width:${style.width};height:${style.height};flex:none`;
    const loaded = new Promise((done, failed) => {
      picture.addEventListener('load', done, { once: true });
      picture.addEventListener('error', () => failed(new Error('a drawing is no SVG')), { once: true });
    });
    picture.src = 'data:image/svg+xml,' + encodeURIComponent(new XMLSerializer().serializeToString(copy));
    made.push([drawing, picture, loaded]);
  }
  await Promise.all(made.map(([, , loaded]) => loaded));
  for (const [drawing, picture] of made) drawing.replaceWith(picture);
}
