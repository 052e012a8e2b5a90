#!/bin/sh
# Installs Qinglan from this folder into a folder of your choice. It needs no network.
#   ./install.sh TARGET
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
target=${1:-}

refuse() { printf '%s\n%s\n' "✗ $1" "  $2" >&2; exit 2; }

[ -n "$target" ] || refuse "请写明安装目录，如 ./install.sh /opt/qinglan" "Name the folder to install into, such as ./install.sh /opt/qinglan"
[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || refuse "此安装包用于 Linux x86_64，本机为 $(uname -s) $(uname -m)。" "This archive is for Linux x86_64; this machine is $(uname -s) $(uname -m)."

versions=$(cat "$here/PYTHON")
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true; }
python=
for candidate in ${PYTHON:-} python3 $(for version in $versions; do echo "python$version"; done); do
    for version in $versions; do
        if [ -z "$python" ] && [ "$(version_of "$candidate")" = "$version" ]; then python=$candidate; fi
    done
done
[ -n "$python" ] || refuse "需要 Python $versions（此安装包所带的），本机的 python3 为 $(version_of python3)；可用 PYTHON=/路径/python 指明。" "Python $versions is needed, for which this archive was made; python3 here is $(version_of python3). PYTHON=/path/python names another."
"$python" -c 'import ensurepip, venv' 2>/dev/null || refuse "这个 Python 缺少 venv 模块：Debian、Ubuntu 请安装 python3-venv。" "This Python lacks the module venv: on Debian or Ubuntu install python3-venv."
if [ -e "$target" ] && [ ! -f "$target/pyvenv.cfg" ] && [ -n "$(ls -A "$target" 2>/dev/null)" ]; then
    refuse "$target 已有其他内容，请另选一个空目录。" "$target holds other things: choose an empty folder."
fi

"$python" -m venv "$target" || refuse "无法在 $target 建立环境，原因见上。" "The environment in $target cannot be made; the reason stands above."
pip() { PIP_CONFIG_FILE=/dev/null "$target/bin/python" -m pip --quiet --disable-pip-version-check install --no-index --find-links "$here/wheels" "$@"; }
pip --require-hashes -r "$here/requirements.txt" || refuse "安装未能完成，原因见上。" "The installation did not finish; the reason stands above."
printf '%s\n' "已安装 $("$target/bin/qinglan" --version)。演示：$target/bin/qinglan demo" "Installed. For a demo: $target/bin/qinglan demo"
