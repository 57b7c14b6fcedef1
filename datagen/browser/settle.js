// Waits until fonts are there. Pictures are: this runs after the page's load event. They are not decoded here, because
// one that was decoded whole is scaled in another way than one that is decoded while it is drawn.
async () => {
  await document.fonts.ready;
}
