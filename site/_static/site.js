// What screen readers need beyond the theme.
document.addEventListener("DOMContentLoaded", () => {
  for (const summary of document.querySelectorAll("nav summary")) { // the arrows that unfold the list of pages
    const link = summary.closest("li")?.querySelector("a");
    summary.setAttribute("aria-label", `Pages of ${link ? link.textContent.trim() : "this part"}`);
  }
  for (const part of document.querySelectorAll(".sig dl, .sig dd")) part.setAttribute("role", "presentation"); // lines of a signature
  for (const table of document.querySelectorAll(".bd-article table")) { // wider than the screen: can be scrolled with the keys
    if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
  }
});
