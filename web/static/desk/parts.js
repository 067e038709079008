// Parts of a page as the server's templates made them (escaped there), put where they belong.

/** The nodes of a part; scripts in it would not run. */
export function parsed(html) {
  return [...new DOMParser().parseFromString(html, "text/html").body.childNodes];
}

/** Exchanges what `place` shows. */
export function put(place, html) {
  place.replaceChildren(...parsed(html));
}
