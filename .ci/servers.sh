# shellcheck shell=bash disable=SC2154 # `run` sets cache, scratch, python_tools
# nginx, apache, caddy, lighttpd, node, openssl, httpbin, the same behind haproxy, Flask and Python's
# `http.server` on free ports of 127.0.0.1, for `tests/servers`. Sourced by `run`.
#
# Sets URLSESSION_NGINX (http://127.0.0.1:port), URLSESSION_NGINX_TLS
# (https://localhost:port), URLSESSION_NGINX_CA (the authority's PEM file),
# URLSESSION_NGINX_REQUIRES and URLSESSION_NGINX_ASKS (the same server, where it demands a
# client certificate, and where it takes one), URLSESSION_NGINX_CLIENT (such a certificate with
# its key, a PEM file), URLSESSION_APACHE, URLSESSION_CADDY, URLSESSION_LIGHTTPD, URLSESSION_NODE and
# URLSESSION_NODE_TLS (with nginx's certificate), URLSESSION_HTTPBIN, URLSESSION_HAPROXY (httpbin
# behind a proxy), URLSESSION_FLASK and URLSESSION_STORED (the folder of the files that it sends),
# URLSESSION_PYTHON, URLSESSION_NGINX_FILES, URLSESSION_APACHE_FILES, URLSESSION_CADDY_FILES,
# URLSESSION_LIGHTTPD_FILES and URLSESSION_PYTHON_FILES (the folders of the files that these send),
# URLSESSION_TLS11 and URLSESSION_TLS12 (servers that speak this version only). What each path
# answers stands in `nginx.conf`, `apache.conf`, `Caddyfile`, `lighttpd.conf`, `haproxy.cfg`,
# `node.js` and `stored.py`.

server_pids=()

free_ports() {
    python3 - "$1" <<'PYTHON'
import socket, sys
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(s.getsockname()[1] for s in held))
PYTHON
}

# An authority that lives for two days, and the certificates it gives to localhost and a client.
make_certificates() {
    local dir="$1"
    cat >"$dir/leaf.ext" <<'EXT'
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
EXT
    printf '%s\n' "basicConstraints = CA:FALSE" "extendedKeyUsage = clientAuth" >"$dir/client.ext"
    {
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
            -subj "/CN=urlsession test authority" \
            -addext "basicConstraints = critical, CA:TRUE" \
            -addext "keyUsage = critical, keyCertSign" \
            -keyout "$dir/ca.key" -out "$dir/ca.pem"
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
            -subj "/CN=localhost" -keyout "$dir/leaf.key" -out "$dir/leaf.csr"
        openssl x509 -req -in "$dir/leaf.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" \
            -CAcreateserial -days 2 -extfile "$dir/leaf.ext" -out "$dir/leaf.pem"
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
            -subj "/O=The Shop/CN=ann" -keyout "$dir/client.key" -out "$dir/client.csr"
        openssl x509 -req -in "$dir/client.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" \
            -CAcreateserial -days 2 -extfile "$dir/client.ext" -out "$dir/client.pem"
        cat "$dir/client.key" >>"$dir/client.pem"
    } >"$dir/openssl.log" 2>&1 || { cat "$dir/openssl.log" >&2; return 1; }
}

make_documents() {
    local root="$1/www"
    mkdir -p "$root"
    head -c 1024 /dev/urandom >"$root/small.bin"
    # Holes: a GiB to send that takes no disk.
    truncate -s 1G "$root/large.bin"
    seq 1 20000 >"$root/lines.txt"
    printf 'before <!--#echo var="request_method" --> after\n' >"$root/chunked.html"
}

# Waits until something accepts on the port, for at most ten seconds.
wait_for_port() {
    local name="$1" port="$2" pid="$3" log="$4" tries
    for tries in $(seq 100); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            return 0
        fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    echo "$name did not start (try $tries)" >&2
    cat "$log" >&2
    return 1
}

start_nginx() {
    local dir="$scratch/nginx" plain tls requires asks
    mkdir -p "$dir/tmp"
    # nginx's workers run as another user; it keeps its temporary files here.
    chmod 755 "$scratch" "$dir"
    make_certificates "$dir"
    make_documents "$dir"
    read -r plain tls requires asks <<<"$(free_ports 4)"
    sed -e "s|@DIR@|$dir|g" -e "s|@PLAIN@|$plain|g" -e "s|@TLS@|$tls|g" \
        -e "s|@REQUIRES@|$requires|g" -e "s|@ASKS@|$asks|g" \
        .ci/nginx.conf >"$dir/nginx.conf"
    nginx -e "$dir/error.log" -p "$dir" -c "$dir/nginx.conf" >"$dir/out.log" 2>&1 &
    server_pids+=($!)
    wait_for_port nginx "$plain" $! "$dir/error.log"
    export URLSESSION_NGINX="http://127.0.0.1:$plain" URLSESSION_NGINX_FILES="$dir/www"
    export URLSESSION_NGINX_TLS="https://localhost:$tls"
    export URLSESSION_NGINX_CA="$dir/ca.pem"
    export URLSESSION_NGINX_REQUIRES="https://localhost:$requires"
    export URLSESSION_NGINX_ASKS="https://localhost:$asks"
    export URLSESSION_NGINX_CLIENT="$dir/client.pem"
    echo "nginx at $URLSESSION_NGINX and $URLSESSION_NGINX_TLS"
}

start_apache() {
    local dir="$scratch/apache" port modules place
    modules="$(dpkg-query -L apache2-bin | grep '/modules$')"
    for place in open basic basic/deep digest; do
        mkdir -p "$dir/www/$place"
        echo "the page of $place" >"$dir/www/$place/page.txt"
    done
    echo "ann:$(openssl passwd -apr1 "open sesame")" >"$dir/passwords"
    echo "ann:ledger:$(printf 'ann:ledger:open sesame' | md5sum | cut -d' ' -f1)" >"$dir/digests"
    # Its workers run as another user.
    chmod -R a+rX "$dir"
    port="$(free_ports 1)"
    sed -e "s|@DIR@|$dir|g" -e "s|@PORT@|$port|g" -e "s|@MODULES@|$modules|g" \
        .ci/apache.conf >"$dir/apache.conf"
    apache2 -f "$dir/apache.conf" -D FOREGROUND >"$dir/out.log" 2>&1 &
    server_pids+=($!)
    wait_for_port apache "$port" $! "$dir/out.log"
    export URLSESSION_APACHE="http://127.0.0.1:$port" URLSESSION_APACHE_FILES="$dir/www"
    echo "apache at $URLSESSION_APACHE"
}

start_caddy() {
    local dir="$scratch/caddy" port
    mkdir -p "$dir/www"
    port="$(free_ports 1)"
    DIR="$dir" PORT="$port" XDG_DATA_HOME="$dir" XDG_CONFIG_HOME="$dir" \
        caddy run --config .ci/Caddyfile >"$dir/out.log" 2>&1 &
    server_pids+=($!)
    wait_for_port caddy "$port" $! "$dir/out.log"
    export URLSESSION_CADDY="http://127.0.0.1:$port" URLSESSION_CADDY_FILES="$dir/www"
    echo "caddy at $URLSESSION_CADDY"
}

# Servers of one version of TLS each, with nginx's certificate; 1.1 takes OpenSSL to lower its
# guard.
start_openssl() {
    local dir="$scratch/nginx" version port
    for version in 1 2; do
        port="$(free_ports 1)"
        openssl s_server -accept "127.0.0.1:$port" -www "-tls1_$version" \
            -cipher "DEFAULT@SECLEVEL=0" -cert "$dir/leaf.pem" -key "$dir/leaf.key" \
            >"$dir/openssl-1.$version.log" 2>&1 </dev/null &
        server_pids+=($!)
        wait_for_port openssl "$port" $! "$dir/openssl-1.$version.log"
        export "URLSESSION_TLS1$version=https://localhost:$port"
        echo "openssl with TLS 1.$version at https://localhost:$port"
    done
}

start_lighttpd() {
    local dir="$scratch/lighttpd" port
    mkdir -p "$dir/www/digest" "$dir/uploads"
    cp "$scratch/nginx/www/small.bin" "$scratch/nginx/www/lines.txt" "$dir/www"
    echo "the page of digest" >"$dir/www/digest/page.txt"
    printf '%s\n' 'printf "Content-Type: text/plain\r\n\r\n"' 'exec wc -c' >"$dir/www/count.cgi"
    {
        echo "ann:ledger:$(printf 'ann:ledger:open sesame' | sha256sum | cut -d' ' -f1)"
        echo "ann:ledger:$(printf 'ann:ledger:open sesame' | md5sum | cut -d' ' -f1)"
    } >"$dir/digests"
    port="$(free_ports 1)"
    sed -e "s|@DIR@|$dir|g" -e "s|@PORT@|$port|g" .ci/lighttpd.conf >"$dir/lighttpd.conf"
    lighttpd -D -f "$dir/lighttpd.conf" >"$dir/out.log" 2>&1 &
    server_pids+=($!)
    wait_for_port lighttpd "$port" $! "$dir/out.log"
    export URLSESSION_LIGHTTPD="http://127.0.0.1:$port" URLSESSION_LIGHTTPD_FILES="$dir/www"
    echo "lighttpd at $URLSESSION_LIGHTTPD"
}

start_node() {
    local log="$scratch/node.log" plain tls
    read -r plain tls <<<"$(free_ports 2)"
    node .ci/node.js "$plain" "$tls" "$scratch/nginx" >"$log" 2>&1 &
    server_pids+=($!)
    # The last to listen.
    wait_for_port node "$plain" $! "$log"
    export URLSESSION_NODE="http://127.0.0.1:$plain" URLSESSION_NODE_TLS="https://localhost:$tls"
    echo "node at $URLSESSION_NODE and $URLSESSION_NODE_TLS"
}

# Serves a Python application: a name, the application, further arguments.
start_gunicorn() {
    local name="$1" application="$2" log="$scratch/$1.log"
    gunicorn_port="$(free_ports 1)"
    shift 2
    # Threads, so that connections are kept alive, which the plain worker does not do.
    "$python_tools/bin/gunicorn" --bind "127.0.0.1:$gunicorn_port" --worker-class gthread \
        --threads 16 --keep-alive 30 --graceful-timeout 1 "$@" "$application" >"$log" 2>&1 &
    server_pids+=($!)
    wait_for_port "$name" "$gunicorn_port" $! "$log"
    echo "$name at http://127.0.0.1:$gunicorn_port"
}

start_httpbin() {
    start_gunicorn httpbin httpbin:app
    export URLSESSION_HTTPBIN="http://127.0.0.1:$gunicorn_port"
}

start_haproxy() {
    local dir="$scratch/haproxy" port
    mkdir -p "$dir"
    port="$(free_ports 1)"
    sed -e "s|@PORT@|$port|g" -e "s|@BEHIND@|${URLSESSION_HTTPBIN##*:}|g" .ci/haproxy.cfg \
        >"$dir/haproxy.cfg"
    haproxy -db -f "$dir/haproxy.cfg" >"$dir/out.log" 2>&1 &
    server_pids+=($!)
    wait_for_port haproxy "$port" $! "$dir/out.log"
    export URLSESSION_HAPROXY="http://127.0.0.1:$port"
    echo "haproxy at $URLSESSION_HAPROXY, before httpbin"
}

start_flask() {
    export URLSESSION_STORED="$scratch/stored"
    mkdir -p "$URLSESSION_STORED"
    tar -czf "$URLSESSION_STORED/stored.tar.gz" -C "$scratch/nginx/www" small.bin lines.txt
    start_gunicorn flask stored:app --chdir .ci --env "STORED=$URLSESSION_STORED"
    export URLSESSION_FLASK="http://127.0.0.1:$gunicorn_port"
}

# It sends no parts.
start_python() {
    local dir="$scratch/python" port
    mkdir -p "$dir/www"
    port="$(free_ports 1)"
    python3 -m http.server "$port" --bind 127.0.0.1 --directory "$dir/www" >"$dir/out.log" 2>&1 &
    server_pids+=($!)
    wait_for_port python "$port" $! "$dir/out.log"
    export URLSESSION_PYTHON="http://127.0.0.1:$port" URLSESSION_PYTHON_FILES="$dir/www"
    echo "python at $URLSESSION_PYTHON"
}

start_servers() {
    start_nginx
    start_apache
    start_caddy
    start_lighttpd
    start_node
    start_openssl
    start_httpbin
    start_haproxy
    start_flask
    start_python
}

stop_servers() {
    local pid
    for pid in "${server_pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    server_pids=()
}
