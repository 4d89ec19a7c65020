# Sourced by run.sh and test.sh: finds out what is missing on a Debian or Ubuntu machine, and installs it.

say() { printf '%s\n' "$*" >&2; }

require_dotnet() {
  if ! command -v dotnet >/dev/null 2>&1; then
    say "The .NET SDK 10 is needed and there is no dotnet command: https://dotnet.microsoft.com/download/dotnet/10.0"
    exit 1
  fi
}

# The package that holds RocksDB's shared library; its name carries the version.
rocksdb_package() {
  if ls /usr/lib/*/librocksdb.so* /usr/local/lib/librocksdb.so* >/dev/null 2>&1; then
    return
  fi
  refresh_package_lists
  apt-cache search --names-only '^librocksdb[0-9.]+' | awk '{print $1}' | sort -V | tail -n 1
}

# The package of PostgreSQL's server. Tests start one themselves, in a folder of its own: no service is needed.
postgres_package() {
  if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null 2>&1; then
    echo postgresql
  fi
}

refresh_package_lists() {
  if [ -z "${package_lists_are_fresh:-}" ] && command -v apt-get >/dev/null 2>&1; then
    as_root apt-get update -qq >&2
    package_lists_are_fresh=1
  fi
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    say "Installing needs root. As root: $*"
    exit 1
  fi
}

# Installs those of the named packages that are not there.
install_packages() {
  local missing=()
  local package
  for package in "$@"; do
    if [ -n "$package" ] && ! dpkg -s "$package" >/dev/null 2>&1; then
      missing+=("$package")
    fi
  done
  if [ "${#missing[@]}" -gt 0 ]; then
    say "Installing ${missing[*]}"
    refresh_package_lists
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
  fi
}

# Installs the package of each command that is not there: install_commands node=nodejs npm=npm
install_commands() {
  local pair
  for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null 2>&1 || install_packages "${pair#*=}"
  done
}
