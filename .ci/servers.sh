# shellcheck shell=bash disable=SC2154 # `run` sets cache, scratch, python_tools
# nginx, apache, httpbin and openssl on free ports of 127.0.0.1, for `tests/servers`. Sourced by
# `run`.
#
# Sets URLSESSION_NGINX (http://127.0.0.1:port), URLSESSION_NGINX_TLS
# (https://localhost:port), URLSESSION_NGINX_CA (the authority's PEM file),
# URLSESSION_NGINX_REQUIRES and URLSESSION_NGINX_ASKS (the same server, where it demands a
# client certificate, and where it takes one), URLSESSION_NGINX_CLIENT (such a certificate with
# its key, a PEM file), URLSESSION_APACHE, URLSESSION_HTTPBIN, URLSESSION_TLS11 and
# URLSESSION_TLS12 (servers that speak this version only). What each path of nginx and apache
# answers stands in `nginx.conf` and `apache.conf`.

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
    export URLSESSION_NGINX="http://127.0.0.1:$plain"
    export URLSESSION_NGINX_TLS="https://localhost:$tls"
    export URLSESSION_NGINX_CA="$dir/ca.pem"
    export URLSESSION_NGINX_REQUIRES="https://localhost:$requires"
    export URLSESSION_NGINX_ASKS="https://localhost:$asks"
    export URLSESSION_NGINX_CLIENT="$dir/client.pem"
    echo "nginx at $URLSESSION_NGINX and $URLSESSION_NGINX_TLS"
}

start_apache() {
    local dir="$scratch/apache" port modules place
    modules="$(dpkg-query -L apache2-bin | grep -m1 '/modules$')"
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
    export URLSESSION_APACHE="http://127.0.0.1:$port"
    echo "apache at $URLSESSION_APACHE"
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

start_httpbin() {
    local log="$scratch/httpbin.log" port
    port="$(free_ports 1)"
    # Threads, so that connections are kept alive, which the plain worker does not do.
    "$python_tools/bin/gunicorn" --bind "127.0.0.1:$port" --worker-class gthread \
        --threads 16 --keep-alive 30 --graceful-timeout 1 httpbin:app >"$log" 2>&1 &
    server_pids+=($!)
    wait_for_port httpbin "$port" $! "$log"
    export URLSESSION_HTTPBIN="http://127.0.0.1:$port"
    echo "httpbin at $URLSESSION_HTTPBIN"
}

start_servers() {
    start_nginx
    start_apache
    start_openssl
    start_httpbin
}

stop_servers() {
    local pid
    for pid in "${server_pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    server_pids=()
}
