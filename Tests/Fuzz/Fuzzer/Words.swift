/// Values that readers, validators and compilers stumble over, and the words that manifests are made of.
enum Words {
    static let numbers = [
        "0", "-1", "1", "2", "15", "99", "100", "101", "65535", "65536", "1000000", "2147483647", "2147483648",
        "4294967295", "4294967296", "-2147483648", "9223372036854775807", "9223372036854775808",
        "-9223372036854775808", "18446744073709551615", "18446744073709551616", "1e400", "-0", "0.0", "0.1", "1.5",
        "99.9999999", "1e-9", "0x1F", "0o17", ".inf", ".nan", "1_000", "00080",
    ]

    static let durations = [
        "0s", "1s", "1ns", "0.5s", "1h", "1ms", "-1s", "1d", "999999999h", "315576000000s", "315576000001s",
        "9223372036854775807s", "9223372036s", "1.0000000001s", "1h1m1s1ms", "s", "1", "1.s", ".5s", "1e3s",
    ]

    static let hosts = [
        "my-app", "web", "api.shop", "api.shop.svc.cluster.local", "my-app.default.svc.cluster.local", "*", "*.com",
        "*.example.com", "my-app.example.com", "outside.example.org", "headless.default.svc.cluster.local", "a.b",
        "*.", ".", "..", "*a.example.com", "a.*.com", "a..b", "-a.com", "a-.com", "10.0.0.1", "10.0.0.0/8", "[::1]",
        "MY-APP", "my-app.", "mesh", "./*", "*/*", "~/*", "shop/*", "default/my-app", "~", "localhost", "_a.b",
        "xn--bcher-kva.example",
        "outbound|80||my-app.default.svc.cluster.local", "tls.default", "a:80",
    ]

    static let addresses = [
        "10.1.0.1", "10.96.0.1", "0.0.0.0", "255.255.255.255", "127.0.0.1", "::", "::1", "fd00::1", "fe80::1%eth0",
        "::ffff:10.0.0.1", "10.0.0.0/8", "10.0.0.0/33", "0.0.0.0/0", "::/0", "fd00::/129", "10.1.0.1:80", "[::1]:80",
        "127.0.0.1:65536", "0.0.0.0:80", "unix:///a", "unix://@a", "10.0.0", "1.2.3.4.5", "010.0.0.1", "vm.example.com",
        "240.240.0.1",
    ]

    static let texts = [
        "\"\"", "''", "~", "null", "true", "false", "yes", "\"\\0\"", "\"a\\nb\"", "\"\\r\\n\"", "\"%REQ(\"",
        "\"%START_TIME%\"", "\"%%\"", "\"%\"", "\"a%2fb\"", "\"*\"", "\"^$\"", "\"(\"", "\"(a*)*b\"", "\"a{1000}\"",
        "\"[[:alpha:]]+\"", "\"\\\\1\"", "\"(?P<n>a)\"", "ü", "𝕏", "\"\\u202e\"", "\"\\ud800\"", "\"\u{301}\"", "日本",
        "/", "//",
        "\"/a/../b\"", "\"{id}\"", "\"/{*}/x\"", "\"/a?b#c\"", "http", "HTTP", "HTTPS", "TCP", "TLS", "GRPC", "MONGO",
        "Mysql", "UDP", "HBONE", "HTTP2", "http2-a", "grpc", "tcp-b", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL", "DISABLE",
        "PASSTHROUGH", "AUTO_PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST", "RANDOM", "ALLOW", "DENY", "STATIC", "DNS",
        "DNS_ROUND_ROBIN", "NONE", "MESH_INTERNAL", "MESH_EXTERNAL", "REGISTRY_ONLY", "ALLOW_ANY", "IPTABLES",
        "DEFAULT", "UPGRADE", "None", "ExternalName", "ClusterIP", "NodePort", "Local", "PreferClose", "Running",
        "Failed", "IPv4", "IPv6", "FQDN", "STRICT", "5xx,reset", "retriable-4xx,503", "gateway-error,9999",
        "x-forwarded-for", ":authority", "host", "Host", "connection", "content-length", "\"a b\"", "gRPC", "mesh",
        "region1/zone1/*", "\"*/a\"", "v1", "v2", "default", "istio-system", "shop", "{}", "[]", "[{}]", "{a: b}",
        "[1, a]", "2020-01-01T00:00:00Z", "2020-13-01T99:00:00Z", "0001-01-01T00:00:00Z",
    ]

    static let kinds = [
        "VirtualService", "DestinationRule", "Gateway", "ServiceEntry", "WorkloadEntry", "WorkloadGroup", "Sidecar",
        "PeerAuthentication", "RequestAuthentication", "AuthorizationPolicy", "EnvoyFilter", "Telemetry",
        "ProxyConfig", "Service", "EndpointSlice", "Endpoints", "Pod", "Node", "Namespace", "ServiceAccount",
        "Secret", "ConfigMap", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "List",
        "PodList", "Ingress", "\"\"", "virtualservice",
    ]

    static let versions = [
        "v1", "networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3",
        "security.istio.io/v1", "telemetry.istio.io/v1", "discovery.k8s.io/v1", "apps/v1", "batch/v1",
        "networking.istio.io/v9", "x/y/z", "\"\"",
    ]

    static let fragments = [
        "---\n", "...\n", "&a ", "*a", "<<: *a\n", "!!str ", "!!binary ", "!x ", "? ", ": ", "- ", "[", "]", "{", "}",
        ",", "|\n",
        ">-\n", "#", "%YAML 1.2\n---\n", "\t", "\r\n", "\u{FEFF}", "\u{0}", "\u{85}", "\u{2028}", "\"", "'", "\n  ",
        "\n", " ",
        "&a [*a]", "{a: {a: {a: {a: {a: 1}}}}}", "@", "`",
    ]

    static func deep(_ depth: Int) -> String {
        String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
}
