// Smaller PNGs: a dashboard has few colours, so 256 of them in a palette are enough, at a third of the size.
import fs from 'node:fs';
import zlib from 'node:zlib';

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

function chunks(png) {
  const out = [];
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    out.push([png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, at + 8 + length)]);
    at += 12 + length;
  }
  return out;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length);
  body.copy(out, 4);
  out.writeUInt32BE(zlib.crc32 ? zlib.crc32(body) : crc32(body), body.length + 4);
  return out;
}

function crc32(b) {
  let c = ~0;
  for (const x of b) {
    c ^= x;
    for (let k = 0; k < 8; k++) c = (c >>> 1) ^ (0xedb88320 & -(c & 1));
  }
  return ~c >>> 0;
}

// pixels undoes the filters of an 8-bit image without interlace.
function pixels(data, width, height, bytes) {
  const line = width * bytes;
  const out = Buffer.alloc(line * height);
  for (let y = 0; y < height; y++) {
    const filter = data[y * (line + 1)];
    for (let x = 0; x < line; x++) {
      const a = x >= bytes ? out[y * line + x - bytes] : 0, b = y > 0 ? out[(y - 1) * line + x] : 0, c = x >= bytes && y > 0 ? out[(y - 1) * line + x - bytes] : 0;
      let add = 0;
      if (filter === 1) add = a;
      else if (filter === 2) add = b;
      else if (filter === 3) add = (a + b) >> 1;
      else if (filter === 4) {
        const p = a + b - c, pa = Math.abs(p - a), pb = Math.abs(p - b), pc = Math.abs(p - c);
        add = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
      }
      out[y * line + x] = data[y * (line + 1) + 1 + x] + add;
    }
  }
  return out;
}

// shrink rewrites a file of RGB or RGBA pixels. The 256 commonest colours stay as they are, others become the nearest of them.
export function shrink(file) {
  const parts = chunks(fs.readFileSync(file));
  const header = parts.find(([t]) => t === 'IHDR')[1];
  const width = header.readUInt32BE(0), height = header.readUInt32BE(4);
  if (header[8] !== 8 || ![2, 6].includes(header[9])) return;
  const bytes = header[9] === 6 ? 4 : 3;
  const image = pixels(zlib.inflateSync(Buffer.concat(parts.filter(([t]) => t === 'IDAT').map(([, d]) => d))), width, height, bytes);
  const count = new Map();
  const colour = (i) => (image[i * bytes] << 16) | (image[i * bytes + 1] << 8) | image[i * bytes + 2];
  for (let i = 0; i < width * height; i++) count.set(colour(i), (count.get(colour(i)) ?? 0) + 1);
  // A colour near one that is taken already waits until the others have had their turn.
  const far = (a, b) => Math.abs((a >> 16) - (b >> 16)) + Math.abs(((a >> 8) & 255) - ((b >> 8) & 255)) + Math.abs((a & 255) - (b & 255));
  const palette = [];
  for (const [c] of [...count].sort((a, b) => b[1] - a[1])) {
    if (palette.length < 256 && palette.every((p) => far(p, c) > 12)) palette.push(c);
  }
  const nearest = new Map();
  for (const c of count.keys()) {
    let best = 0;
    for (let i = 1; i < palette.length; i++) if (far(palette[i], c) < far(palette[best], c)) best = i;
    nearest.set(c, best);
  }
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = nearest.get(colour(y * width + x));
  const head = Buffer.from(header);
  head[9] = 3;
  const colours = Buffer.from(palette.flatMap((c) => [c >> 16, (c >> 8) & 255, c & 255]));
  fs.writeFileSync(file, Buffer.concat([SIGNATURE, chunk('IHDR', head), chunk('PLTE', colours), chunk('IDAT', zlib.deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0))]));
}
