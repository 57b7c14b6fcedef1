// Hides or shows everything. Shapes come out differently at their edges where a part of the page is drawn again by
// itself, and which parts those are depends on the order in which things arrived; so all is drawn again from nothing.
async (hide) => {
  const sheet = (globalThis.__diptychHidden ??= document.createElement('style'));
  sheet.textContent = 'html, html * { visibility: hidden !important; }';
  if (hide) (document.head || document.documentElement).append(sheet);
  else sheet.remove();
}
