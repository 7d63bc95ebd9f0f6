// Serves a built book on this machine, compressed as any real server would.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { gzipSync } from "node:zlib";

const TYPES = {
  ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript",
  ".json": "application/json", ".ipynb": "application/json", ".svg": "image/svg+xml",
  ".png": "image/png", ".inv": "application/octet-stream", ".woff2": "font/woff2",
};

// `change(path, text)` may break a page on purpose; null means that there is no such file.
export async function serve(folder, change = (path, text) => text) {
  const kept = new Map(); // compressing plotly takes longer than sending it

  async function answer(path) {
    if (kept.has(path)) return kept.get(path);
    const bytes = await readFile(join(folder, path));
    const type = TYPES[extname(path)] ?? "application/octet-stream";
    const text = /html|css|javascript/.test(type) ? change(path, bytes.toString()) : bytes;
    if (text === null) throw new Error(`${path} was taken away`);
    const small = type === "image/png" ? bytes : gzipSync(text);
    kept.set(path, { small, type });
    return kept.get(path);
  }

  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://book").pathname));
    let status = 200;
    const { small, type } = await answer(path.endsWith("/") ? `${path}index.html` : path).catch(() => {
      status = 404;
      return answer("/404.html").catch(() => ({ small: gzipSync("not here"), type: "text/plain" }));
    });
    const headers = { "Content-Type": type, "Cache-Control": "max-age=600" }; // as GitHub Pages
    if (type !== "image/png") headers["Content-Encoding"] = "gzip";
    if (type === "font/woff2") headers["Access-Control-Allow-Origin"] = "*"; // so that a frame may use it
    response.writeHead(status, headers).end(small);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { base: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}
