// Draws every formula of the page with KaTeX.
document.addEventListener("DOMContentLoaded", () => {
  for (const element of document.querySelectorAll(".math")) {
    const display = element.tagName === "DIV";
    katex.render(element.textContent, element, { displayMode: display, throwOnError: false });
    if (display && element.scrollWidth > element.clientWidth) element.tabIndex = 0; // wider than the screen: can be scrolled with the keys
  }
});
