internal import ArgumentParser
internal import Foundation

struct Bootstrap: AsyncParsableCommand, EnvironmentConfigured {
    enum Client: String, ExpressibleByArgument, CaseIterable { case envoy, grpc }
    enum Role: String, ExpressibleByArgument, CaseIterable { case sidecar, gateway }
    enum Interception: String, ExpressibleByArgument, CaseIterable { case none, redirect, tproxy }

    static let configuration = CommandConfiguration(
        abstract: "Prints a bootstrap that connects a stock Envoy (YAML) or a gRPC program (JSON) to Apus.")

    @Option(name: .customLong("for"), help: "envoy or grpc.")
    var client: Client

    @Option(help: ArgumentHelp("The control plane's address.", valueName: "host:port"))
    var controlPlane: String

    @Option(help: "The workload's name.")
    var name: String

    @Option(help: "The workload's namespace.")
    var namespace: String

    @Option(help: "The workload's service account.")
    var serviceAccount = "default"

    @Option(help: ArgumentHelp("A label of the workload, may be repeated.", valueName: "k=v"))
    var label: [String] = []

    @Option(help: "The workload's address.")
    var ip = "127.0.0.1"

    @Option(help: "sidecar or gateway.")
    var role = Role.sidecar

    @Flag(help: "Connect without TLS.")
    var plaintext = false

    @Option(help: ArgumentHelp("PEM file with the roots that sign the control plane's certificate.", valueName: "file"))
    var rootCert: String?

    @Option(help: ArgumentHelp("File with the token that proves the workload's identity.", valueName: "file"))
    var tokenFile: String?

    @Option(help: "Envoy's admin port, on loopback.")
    var adminPort = 15000

    @Option(help: "none, redirect or tproxy: whether a firewall rule brings the traffic to Envoy.")
    var intercept = Interception.none

    @Option(help: ArgumentHelp("More node metadata, may be repeated.", valueName: "KEY=value"))
    var metadata: [String] = []

    static let environmentOptions: [EnvironmentOption] = [
        .value("for"), .value("control-plane"), .value("name"), .value("namespace"), .value("service-account"),
        .values("label"), .value("ip"), .value("role"), .flag("plaintext"), .value("root-cert"), .value("token-file"),
        .value("admin-port"), .value("intercept"),
    ]

    func validate() throws {
        guard plaintext != (rootCert != nil) else {
            throw ValidationError("give either --plaintext, or --root-cert (and --token-file)")
        }
        guard (0...65535).contains(adminPort) else { throw ValidationError("--admin-port must be 0 to 65535") }
    }

    func run() async throws {
        let (host, port) = try Self.split(controlPlane)
        let labels = try Labels.parse(label)
        switch client {
        case .envoy: Program.say(try envoy(host: host, port: port, labels: labels).yaml)
        case .grpc: Program.say(try grpc(labels: labels).json)
        }
    }

    /// `host:port`; an IPv6 address stands in brackets.
    static func split(_ address: String) throws -> (String, Int) {
        guard let colon = address.lastIndex(of: ":"), let port = Int(address[address.index(after: colon)...]),
            (1...65535).contains(port), colon != address.startIndex
        else {
            throw ValidationError("--control-plane must be HOST:PORT, and \(address) is not")
        }
        var host = String(address[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        return (host, port)
    }

    private func node(labels: [String: String], generator: String?) throws -> OutputTree {
        let type = role == .sidecar ? "sidecar" : "router"
        var pairs: [(String, OutputTree)] = [
            ("NAME", .string(name)), ("NAMESPACE", .string(namespace)), ("SERVICE_ACCOUNT", .string(serviceAccount)),
            ("INSTANCE_IPS", .string(ip)), ("LABELS", .map(sorted: labels)),
        ]
        if let generator {
            pairs.append(("GENERATOR", .string(generator)))
        } else {
            pairs.append(("INTERCEPTION_MODE", .string(intercept.rawValue.uppercased())))
        }
        for (key, value) in try Labels.parse(metadata).sorted(by: { $0.key < $1.key }) {
            pairs.removeAll { $0.0 == key }
            pairs.append((key, .string(value)))
        }
        return .map([
            "id": .string("\(type)~\(ip)~\(name).\(namespace)~\(namespace).svc.cluster.local"),
            "cluster": .string("\(labels["app"] ?? name).\(namespace)"),
            "metadata": .map(pairs),
        ])
    }

    private func envoy(host: String, port: Int, labels: [String: String]) throws -> OutputTree {
        let ads: OutputTree = .map(["ads": .map([]), "initial_fetch_timeout": "0s", "resource_api_version": "V3"])
        var service: [(String, OutputTree)] = [("envoy_grpc", .map(["cluster_name": "xds-grpc"]))]
        let token = try bearer()
        if let token {
            service.append(
                (
                    "initial_metadata",
                    .list([
                        .map([
                            "key": "authorization",
                            "value": .string(token),
                        ])
                    ])
                ))
        }
        var clusters = [server("xds-grpc", host: host, port: port, token: nil)]
        // Nobody but the control plane gives a stock Envoy its certificate. What it asks with there is written into its
        // listeners and clusters, without the token, so the cluster adds it.
        if rootCert != nil { clusters.append(server("sds-grpc", host: host, port: port, token: token)) }
        return .map([
            "node": try node(labels: labels, generator: nil),
            "admin": .map([
                "address": .map([
                    "socket_address": .map(["address": "127.0.0.1", "port_value": .number(adminPort)])
                ])
            ]),
            "dynamic_resources": .map([
                "lds_config": ads,
                "cds_config": ads,
                "ads_config": .map([
                    "api_type": "DELTA_GRPC",
                    "transport_api_version": "V3",
                    "set_node_on_first_message_only": true,
                    "grpc_services": .list([.map(service)]),
                ]),
            ]),
            "static_resources": .map(["clusters": .list(clusters)]),
        ])
    }

    /// What proves the identity, as a header's value; nil without `--token-file`.
    private func bearer() throws -> String? {
        guard let tokenFile else { return nil }
        guard let token = try? String(contentsOfFile: tokenFile, encoding: .utf8) else {
            throw ProgramFailure(ExitStatus.badConfiguration, "the token file \(tokenFile) cannot be read")
        }
        return "Bearer \(token.trimmingCharacters(in: .whitespacesAndNewlines))"
    }

    /// A cluster that leads to the control plane.
    ///
    /// - Parameter token: goes out with every request, if the calls do not bring it themselves.
    private func server(_ name: String, host: String, port: Int, token: String?) -> OutputTree {
        let isAddress = Self.isAddress(host)
        var options: [(String, OutputTree)] = [
            ("@type", "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"),
            (
                "explicit_http_config",
                .map([
                    "http2_protocol_options": .map([
                        "connection_keepalive": .map(["interval": "30s", "timeout": "10s"])
                    ])
                ])
            ),
        ]
        if let token { options.append(("http_filters", .list(Self.adding(token)))) }
        var cluster: [(String, OutputTree)] = [
            ("name", .string(name)),
            ("type", .string(isAddress ? "STATIC" : "STRICT_DNS")),
            ("connect_timeout", "5s"),
            (
                "typed_extension_protocol_options",
                .map(["envoy.extensions.upstreams.http.v3.HttpProtocolOptions": .map(options)])
            ),
            (
                "load_assignment",
                .map([
                    "cluster_name": .string(name),
                    "endpoints": .list([
                        .map([
                            "lb_endpoints": .list([
                                .map([
                                    "endpoint": .map([
                                        "address": .map([
                                            "socket_address": .map([
                                                "address": .string(host), "port_value": .number(port),
                                            ])
                                        ])
                                    ])
                                ])
                            ])
                        ])
                    ]),
                ])
            ),
        ]
        if let rootCert {
            cluster.append(
                (
                    "transport_socket",
                    .map([
                        "name": "envoy.transport_sockets.tls",
                        "typed_config": .map([
                            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                            "sni": .string(isAddress ? "istiod.istio-system.svc" : host),
                            "common_tls_context": .map([
                                "alpn_protocols": .list(["h2"]),
                                "validation_context": .map([
                                    "trusted_ca": .map(["filename": .string(rootCert)])
                                ]),
                            ]),
                        ]),
                    ])
                ))
        }
        return .map(cluster)
    }

    /// Filters of a cluster that put the token into what they send.
    private static func adding(_ token: String) -> [OutputTree] {
        [
            .map([
                "name": "envoy.filters.http.header_mutation",
                "typed_config": .map([
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
                    "mutations": .map([
                        "request_mutations": .list([
                            .map([
                                "append": .map([
                                    "header": .map(["key": "authorization", "value": .string(token)]),
                                    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
                                ])
                            ])
                        ])
                    ]),
                ]),
            ]),
            .map([
                "name": "envoy.filters.http.upstream_codec",
                "typed_config": .map([
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"
                ]),
            ]),
        ]
    }

    private func grpc(labels: [String: String]) throws -> OutputTree {
        let credentials: OutputTree =
            plaintext
            ? .map(["type": "insecure"])
            : .map(["type": "tls", "config": .map(["ca_certificate_file": .string(rootCert ?? "")])])
        return .map([
            "xds_servers": .list([
                .map([
                    "server_uri": .string(controlPlane),
                    "channel_creds": .list([credentials]),
                    "server_features": .list(["xds_v3"]),
                ])
            ]),
            "node": try node(labels: labels, generator: "grpc"),
            "server_listener_resource_name_template": "xds.istio.io/grpc/lds/inbound/%s",
        ])
    }

    private static func isAddress(_ host: String) -> Bool {
        host.contains(":") || host.split(separator: ".").allSatisfy { UInt8($0) != nil }
    }
}
