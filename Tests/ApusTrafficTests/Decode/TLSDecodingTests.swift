import ApusAPI
import ApusCore
import ApusTraffic
import SwiftProtobuf
import Testing

@Suite("TLS contexts and secrets") struct TLSDecodingTests {
    private typealias Common = Envoy_Extensions_TransportSockets_Tls_V3_CommonTlsContext
    private typealias Server = Envoy_Extensions_TransportSockets_Tls_V3_DownstreamTlsContext
    private typealias Client = Envoy_Extensions_TransportSockets_Tls_V3_UpstreamTlsContext

    private func certificate() -> Envoy_Extensions_TransportSockets_Tls_V3_TlsCertificate {
        .with {
            $0.certificateChain.inlineString = "chain"
            $0.privateKey.inlineString = "key"
        }
    }

    private func listener(_ change: (inout Server) -> Void) throws -> ListenerMessage {
        var context = Server()
        context.commonTlsContext.tlsCertificates = [certificate()]
        change(&context)
        let any = try packed(context)
        return try Sample.listener { $0.filterChains[0].transportSocket.typedConfig = any }
    }

    private func cluster(_ change: (inout Client) -> Void) throws -> ClusterMessage {
        var context = Client()
        change(&context)
        let any = try packed(context)
        return Sample.cluster { $0.transportSocket.typedConfig = any }
    }

    private func refusal(_ change: (inout Server) -> Void) throws -> String? {
        var store = ConfigStore()
        return try store.put(.listener, "l", listener(change)).rejected.first?.reason
    }

    @Test("what cannot be honoured is refused by field")
    func refused() throws {
        let cases: [(String, (inout Server) -> Void)] = [
            (
                "cipher_suites[0]",
                { $0.commonTlsContext.tlsParams.cipherSuites = ["RC4-MD5"] }
            ),
            ("ecdh_curves[0]", { $0.commonTlsContext.tlsParams.ecdhCurves = ["P-1"] }),
            ("tls_minimum_protocol_version", { $0.commonTlsContext.tlsParams.tlsMinimumProtocolVersion = .tlsv10 }),
            (
                "tls_maximum_protocol_version",
                {
                    $0.commonTlsContext.tlsParams.tlsMinimumProtocolVersion = .tlsv13
                    $0.commonTlsContext.tlsParams.tlsMaximumProtocolVersion = .tlsv12
                }
            ),
            ("require_client_certificate", { $0.requireClientCertificate.value = true }),
            ("crl", { $0.commonTlsContext.validationContext.crl.inlineString = "x" }),
            ("verify_certificate_hash", { $0.commonTlsContext.validationContext.verifyCertificateHash = ["00"] }),
            ("alpn_protocols[0]", { $0.commonTlsContext.alpnProtocols = ["h\u{E9}"] }),
            (
                "trust_chain_verification",
                { $0.commonTlsContext.validationContext.trustChainVerification = .acceptUntrusted }
            ),
            ("alpn_protocols[0]", { $0.commonTlsContext.alpnProtocols = [""] }),
            ("private_key", { $0.commonTlsContext.tlsCertificates[0].privateKey = .init() }),
            (
                "match_typed_subject_alt_names",
                {
                    $0.commonTlsContext.validationContext.matchTypedSubjectAltNames = [
                        .with {
                            $0.sanType = .uri
                            $0.matcher.exact = "x"
                        }
                    ]
                }
            ),
            (
                "sds_config",
                {
                    $0.commonTlsContext.tlsCertificates = []
                    $0.commonTlsContext.tlsCertificateSdsSecretConfigs = [.with { $0.name = "x" }]
                }
            ),
        ]
        for (field, change) in cases {
            let reason = try #require(try refusal(change))
            #expect(reason.contains(field), "\(reason)")
            #expect(reason.hasPrefix("filter_chains[0].transport_socket."))
        }
    }

    @Test("the mesh's own context is taken, and wants the proxy's own secrets")
    func mesh() throws {
        var store = ConfigStore()
        let message = try listener {
            $0.requireClientCertificate.value = true
            $0.commonTlsContext.alpnProtocols = ["h2", "http/1.1"]
            $0.commonTlsContext.tlsParams.tlsMinimumProtocolVersion = .tlsv12
            $0.commonTlsContext.tlsParams.cipherSuites = [
                "ECDHE-ECDSA-AES256-GCM-SHA384", "[AES128-GCM-SHA256|AES128-SHA]",
            ]
            $0.commonTlsContext.tlsCertificates = []
            func own(_ name: String) -> Envoy_Extensions_TransportSockets_Tls_V3_SdsSecretConfig {
                .with {
                    $0.name = name
                    $0.sdsConfig.apiConfigSource.apiType = .grpc
                    $0.sdsConfig.apiConfigSource.grpcServices = [.with { $0.envoyGrpc.clusterName = "sds-grpc" }]
                }
            }
            $0.commonTlsContext.tlsCertificateSdsSecretConfigs = [own("default")]
            $0.commonTlsContext.combinedValidationContext.defaultValidationContext.matchTypedSubjectAltNames = [
                .with {
                    $0.sanType = .uri
                    $0.matcher.prefix = "spiffe://cluster.local/"
                }
            ]
            $0.commonTlsContext.combinedValidationContext.validationContextSdsSecretConfig = own("ROOTCA")
        }
        #expect(try store.put(.listener, "l", message).message == nil)
        #expect(store.wantedSecrets(.identity) == ["ROOTCA", "default"])
        _ = try store.put(.route, "r", Sample.routes())
        #expect(store.wantedSecrets(.stream) == [])
        let context = try #require(store.configuration.listeners.first?.chains.first?.transport)
        #expect(context.server.requiresClientCertificate)
        #expect(context.ciphers == ["ECDHE-ECDSA-AES256-GCM-SHA384", "AES128-GCM-SHA256", "AES128-SHA"])
        #expect(context.secrets.allSatisfy { store.configuration.secret($0.slot) == nil })
        var trust = TLSTrust()
        trust.roots = Array("roots".utf8)
        let change = try store.supply(
            [
                Secret(name: "default", version: ContentVersion(1), content: .certificate(.init(chain: [1], key: [2]))),
                Secret(name: "ROOTCA", version: ContentVersion(2), content: .trust(trust)),
            ], .identity)
        #expect(change.changedSecrets == ["ROOTCA", "default"])
        #expect(change.changedListeners == [])
        #expect(context.secrets.allSatisfy { store.configuration.secret($0.slot) != nil })
    }

    @Test("secrets of the stream are asked for, taken, exchanged and forgotten")
    func stream() throws {
        var store = ConfigStore()
        let message = try cluster {
            $0.sni = "host"
            $0.commonTlsContext.tlsCertificateSdsSecretConfigs = [
                .with {
                    $0.name = "kubernetes://x"
                    $0.sdsConfig.ads = .init()
                }
            ]
        }
        func secret(_ text: String) -> Envoy_Extensions_TransportSockets_Tls_V3_Secret {
            .with {
                $0.name = "kubernetes://x"
                $0.tlsCertificate = certificate()
                $0.tlsCertificate.certificateChain.inlineString = text
            }
        }
        // Nobody asked for it yet.
        #expect(try store.put(.secret, "kubernetes://x", secret("early")).message == nil)
        #expect(store.configuration.secrets.allSatisfy { $0 == nil })
        #expect(try store.put(.cluster, "c", message).message == nil)
        #expect(store.wantedSecrets(.stream) == ["kubernetes://x"])
        _ = try store.put(.endpoints, "c", Sample.endpoints())
        #expect(try store.put(.secret, "kubernetes://x", secret("one")).change.changedSecrets == ["kubernetes://x"])
        #expect(try store.put(.secret, "kubernetes://x", secret("one")).change.isEmpty)
        #expect(try store.put(.secret, "kubernetes://x", secret("two")).change.changedSecrets == ["kubernetes://x"])
        let slot = try #require(store.configuration.cluster(named: "c")?.config.transport?.secrets.first?.slot)
        guard case .certificate(let held)? = store.configuration.secret(slot)?.content else {
            Issue.record("no certificate")
            return
        }
        #expect(held.chain == Array("two".utf8))
        #expect(!"\(held)".contains("key"))
        let gone = store.apply(ConfigUpdate(type: .secret, changed: [], removed: ["kubernetes://x"]), now: 0)
        #expect(gone.change.changedSecrets == ["kubernetes://x"])
        #expect(store.configuration.secret(slot) == nil)
    }

    @Test("files are wanted by their paths")
    func files() throws {
        var store = ConfigStore()
        let message = try cluster {
            $0.commonTlsContext.tlsCertificates = [
                .with {
                    $0.certificateChain.filename = "/a/chain.pem"
                    $0.privateKey.filename = "/a/key.pem"
                }
            ]
            $0.commonTlsContext.validationContext.trustedCa.filename = "/a/roots.pem"
        }
        #expect(try store.put(.cluster, "c", message).message == nil)
        #expect(store.wantedSecrets(.file) == ["/a/chain.pem~/a/key.pem", "/a/roots.pem"])
    }

    @Test("an endpoint's labels choose how it is spoken to")
    func byLabel() throws {
        let tls = try packed(Client())
        let raw = try packed(Envoy_Extensions_TransportSockets_RawBuffer_V3_RawBuffer())
        var store = ConfigStore()
        let message = Sample.cluster {
            $0.transportSocketMatches = [
                .with {
                    $0.match.fields["tlsMode"] = .init(stringValue: "istio")
                    $0.transportSocket.typedConfig = tls
                },
                .with { $0.transportSocket.typedConfig = raw },
            ]
        }
        #expect(try store.put(.cluster, "c", message).message == nil)
        #expect(try store.put(.endpoints, "c", Sample.endpoints()).message == nil)
        let config = try #require(store.configuration.cluster(named: "c")?.config)
        #expect(config.transport(["tlsMode": "istio"]) != nil)
        #expect(config.transport(["tlsMode": "disabled"]) == nil)
        #expect(config.transport([:]) == nil)
    }

    @Test("the mesh's clients say in their offer what they will speak")
    func offers() {
        let mesh = TLSContext(
            version: ContentVersion(1), role: .client(.init()), alpn: ["istio-peer-exchange", "istio"])
        #expect(mesh.offer(for: .http11) == ["istio-http/1.1", "istio", "http/1.1"])
        #expect(mesh.offer(for: .http2) == ["istio-h2", "istio", "h2"])
        #expect(mesh.offer(for: nil) == ["istio-peer-exchange", "istio"])
        let other = TLSContext(version: ContentVersion(1), role: .client(.init()), alpn: ["h2"])
        #expect(other.offer(for: .http11) == ["h2"])
    }
}
