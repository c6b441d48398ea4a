package import ApusCore
package import ApusModel
package import ApusYAML

/// Reads Istio's MeshConfig, from a file of its own or from a ConfigMap.
package enum MeshConfigReader {
    package struct Result: Sendable {
        /// nil if the text has an error: the settings in force stay.
        package let config: MeshConfig?
        package let findings: [Finding]
    }

    /// The text of a file, or of `--mesh-config`.
    package static func read(file: String, text: [UInt8], limits: YAMLLimits = .standard) -> Result {
        let yaml = YAMLFile.parse(file: file, text: text, limits: limits)
        var findings = yaml.findings
        findings.append(contentsOf: yaml.documents.flatMap(\.findings))
        guard findings.isEmpty else { return Result(config: nil, findings: findings) }
        guard let root = yaml.documents.first?.root else { return Result(config: MeshConfig(), findings: []) }
        if yaml.documents.count > 1 {
            findings.append(
                Finding(
                    .error, FindingCode.schemaError, "a mesh config is one document, and here a second begins",
                    hint: "put the settings into one document",
                    at: SourceLocation(file: file, position: yaml.documents[1].root.position)))
            return Result(config: nil, findings: findings)
        }
        if root["kind"]?.text == "ConfigMap" {
            // The file is the ConfigMap itself, as it stands in a cluster.
            let manifest = ManifestReader.read(file: file, text: text, limits: limits)
            guard let object = manifest.objects.first, let result = read(configMap: object) else {
                return Result(config: nil, findings: manifest.findings)
            }
            return Result(config: result.config, findings: manifest.findings + result.findings)
        }
        let decoding = Decoding(file: file, root: root, object: "MeshConfig", isProtobuf: true)
        let config = MeshConfig.decode(root, decoding)
        if let config {
            MeshConfigValidation.check(config, root, decoding)
        }
        return Result(config: decoding.hasError ? nil : config, findings: decoding.findings)
    }

    /// The key `mesh` of the ConfigMap `istio`; nil if the object has no such key. Positions point into the ConfigMap's
    /// file: the line is exact for a block scalar, the column counts from the block's own margin.
    package static func read(configMap object: ConfigObject) -> Result? {
        guard case .configMap(let map) = object.spec, let text = map.data["mesh"] else { return nil }
        let place = object.origin.location(of: "data.mesh")
        let inner = read(file: place.file, text: Array(text.utf8))
        let findings = inner.findings.map { finding in
            Finding(
                finding.severity, finding.code, finding.message, hint: finding.hint,
                at: SourceLocation(
                    file: place.file,
                    position: Position(
                        line: place.position.line + finding.location.position.line,
                        column: finding.location.position.column)),
                object: object.key.description, field: finding.field)
        }
        return Result(config: inner.config, findings: findings)
    }
}

extension MeshConfig.PathNormalization: FieldEnum {}
extension MeshConfig.AccessLogEncoding: FieldEnum {}
extension MeshConfig.InboundMode: FieldEnum {}
extension MeshConfig.H2UpgradePolicy: FieldEnum {}
extension MeshConfig.MutualTLS.Version: FieldEnum {}

extension MeshConfig: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("connectTimeout", &connectTimeout)
        fields.read("protocolDetectionTimeout", &protocolDetectionTimeout)
        fields.read("tcpKeepalive", &tcpKeepalive)
        fields.read("proxyListenPort", &proxyListenPort)
        fields.read("proxyInboundListenPort", &proxyInboundListenPort)
        fields.read("proxyHttpPort", &proxyHttpPort)
        fields.read("trustDomain", &trustDomain)
        fields.read("trustDomainAliases", &trustDomainAliases)
        fields.read("rootNamespace", &rootNamespace)
        fields.read("outboundTrafficPolicy", &outboundTrafficPolicy)
        fields.nested("inboundTrafficPolicy") { $0.read("mode", &inboundTrafficPolicy) }
        fields.read("enableAutoMtls", &enableAutoMtls)
        fields.nested("meshMTLS") {
            $0.read("minProtocolVersion", &meshMTLS.minProtocolVersion)
            $0.read("cipherSuites", &meshMTLS.cipherSuites)
            $0.read("ecdhCurves", &meshMTLS.ecdhCurves)
        }
        fields.read("enableTracing", &enableTracing)
        fields.read("accessLogFile", &accessLogFile)
        fields.read("accessLogFormat", &accessLogFormat)
        fields.read("accessLogEncoding", &accessLogEncoding)
        fields.read("defaultServiceExportTo", &defaultServiceExportTo)
        fields.read("defaultVirtualServiceExportTo", &defaultVirtualServiceExportTo)
        fields.read("defaultDestinationRuleExportTo", &defaultDestinationRuleExportTo)
        fields.read("localityLbSetting", &localityLbSetting)
        fields.read("zoneAwareLbSetting", &zoneAwareLbSetting)
        fields.read("dnsRefreshRate", &dnsRefreshRate)
        fields.read("h2UpgradePolicy", &h2UpgradePolicy)
        fields.nested("pathNormalization") { $0.read("normalization", &pathNormalization) }
        fields.read("defaultHttpRetryPolicy", &defaultHttpRetryPolicy)
        fields.read("outboundClusterStatName", &outboundClusterStatName)
        fields.read("inboundClusterStatName", &inboundClusterStatName)
        fields.read("enablePrometheusMerge", &enablePrometheusMerge)
        var verify: Bool?
        fields.read("verifyCertificateAtClient", &verify)
        if let verify { verifyCertificateAtClient = verify }
        fields.read("ingressService", &ingressService)
        fields.read("ingressSelector", &ingressSelector)
        fields.nested("defaultConfig") { config in
            config.nested("gatewayTopology") {
                $0.read("numTrustedProxies", &numTrustedProxies)
                $0.unsupported("forwardClientCertDetails", "proxyProtocol")
            }
            config.unsupported(
                "configPath", "binaryPath", "serviceCluster", "drainDuration", "discoveryAddress", "statsdUdpAddress",
                "proxyAdminPort", "controlPlaneAuthPolicy", "customConfigFile", "concurrency", "statNameLength",
                "tracing", "interceptionMode", "sds", "envoyAccessLogService", "envoyMetricsService",
                "proxyMetadata", "runtimeValues", "statusPort", "extraStatTags", "terminationDrainDuration",
                "meshId", "readinessProbe", "proxyStatsMatcher", "holdApplicationUntilProxyStarts",
                "caCertificatesPem", "image", "privateKeyProvider", "proxyHeaders", "fileFlushInterval",
                "fileFlushMinSizeKb", "statsCompression", "zipkinAddress", "proxyBootstrapTemplatePath",
                "parentShutdownDuration")
        }
        for row in NotEnforced.meshSettings where fields.has(row.name) && row.asks(self) {
            fields.note(row.name, row.consequence)
        }
        fields.unsupported(
            "ingressClass", "ingressControllerMode", "authPolicy", "enableEnvoyAccessLogService",
            "disableEnvoyListenerLog", "rdsRefreshDelay", "sdsUdsPath", "sdsRefreshDelay", "configSources",
            "enableSdsTokenMount", "sdsUseK8sSaJwt", "disableMixerHttpReports", "serviceSettings", "certificates",
            "thriftConfig", "caCertificates", "extensionProviders", "defaultProviders", "discoverySelectors",
            "tlsDefaults", "ca", "dnsCapture", "defaultTrafficPolicy", "enableProxyProtocol",
            "reportBatchMaxEntries", "reportBatchMaxTime", "mixerCheckServer", "mixerReportServer",
            "policyCheckFailOpen", "sidecarToTelemetrySessionAffinity", "enableClientSidePolicyCheck",
            "disablePolicyChecks")
    }
}

extension Fields {
    /// Fields that Istio's mesh config has and Apus has no use for: said, not passed over.
    fileprivate mutating func unsupported(_ names: StaticString...) {
        for name in names where take(name) != nil {
            guard let key = key(name) else { continue }
            decoding.report(
                .warning, FindingCode.notEnforced, "\(name) is understood but has no effect in this version", at: key)
        }
    }

    fileprivate func note(_ name: StaticString, _ consequence: String) {
        guard let key = key(name) else { return }
        decoding.report(
            .warning, FindingCode.notEnforced, "\(name) is understood but not yet enforced: \(consequence)", at: key)
    }
}
