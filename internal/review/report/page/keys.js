// Keys of the whole page; those of lists are in lines.js.

function makeKeys() {
  document.addEventListener("keydown", (e) => {
    const at = document.activeElement, typing = /^(INPUT|SELECT|TEXTAREA)$/.test(at.tagName);
    if (e.key === "Escape") letGo();
    else if (e.key === "/" && !typing && !e.ctrlKey && !e.metaKey) {
      e.preventDefault();
      if (narrow()) chooseView("objects");
      byId("filter").focus();
    } else if (e.key === "ArrowDown" && at.id === "filter") {
      e.preventDefault();
      byId("objects").focus();
      panes.objects.move(0);
    }
  });
  for (const a of document.querySelectorAll("[data-skip]")) {
    a.addEventListener("click", (e) => {
      e.preventDefault(); // the fragment is the page's state
      byId(a.dataset.skip).focus();
    });
  }
}
