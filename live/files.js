/** Where the scripts of live pages are, and how a page loads one of them. Pages share this file. */

const folder = document.currentScript.dataset.live;

/** Load a script: a page that was opened as a file may load data in no other way. */
function loadScript(name) {
  return new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.onload = resolve;
    element.onerror = () => reject(new Error(`${name} can't be loaded`));
    element.src = `${folder}${name}`;
    document.head.append(element);
  });
}
