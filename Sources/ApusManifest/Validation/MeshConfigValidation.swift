internal import ApusCore
internal import ApusModel
internal import ApusYAML

/// The rules of MeshConfig, which is no object but has the same kinds of values.
enum MeshConfigValidation {
    static func check(_ config: MeshConfig, _ root: YAMLNode, _ decoding: Decoding) {
        let object = ConfigObject(
            kind: .configMap, metadata: Metadata(name: "istio"), spec: .configMap(ConfigMap()),
            origin: Origin(
                location: SourceLocation(file: decoding.file, position: root.position),
                locator: FieldLocator(root: root)),
            version: ContentVersion(0))
        let checks = Checks(object)
        checks.duration(config.connectTimeout, "connectTimeout")
        checks.duration(config.dnsRefreshRate, "dnsRefreshRate")
        checks.port(config.proxyListenPort, "proxyListenPort")
        checks.port(config.proxyInboundListenPort, "proxyInboundListenPort")
        if config.proxyHttpPort != 0 { checks.port(config.proxyHttpPort, "proxyHttpPort") }
        checks.name(config.trustDomain, "the trust domain", "trustDomain")
        if !DNSName.isLabel(config.rootNamespace) {
            checks.error("rootNamespace", "\"\(config.rootNamespace)\" is not the name of a namespace")
        }
        checks.locality(config.localityLbSetting, hasOutlierDetection: true, "localityLbSetting")
        if let settings = config.zoneAwareLbSetting { checks.zoneAware(settings, "zoneAwareLbSetting") }
        if let tls = config.outboundTrafficPolicy.tls {
            checks.clientTLS(tls, "outboundTrafficPolicy.tls")
            if config.outboundTrafficPolicy.mode != .allowAnyDynamicDNS {
                checks.warning("outboundTrafficPolicy.tls", "tls has an effect only with mode ALLOW_ANY_DYNAMIC_DNS")
            }
        }
        if let retries = config.defaultHttpRetryPolicy { checks.retries(retries, "defaultHttpRetryPolicy") }
        let ports = [config.proxyListenPort, config.proxyInboundListenPort, config.proxyHttpPort].filter { $0 != 0 }
        if Set(ports).count != ports.count {
            checks.error("proxyListenPort", "proxyListenPort, proxyInboundListenPort and proxyHttpPort must differ")
        }
        accessLogFormat(config, checks)
        for finding in checks.findings {
            decoding.add(
                Finding(
                    finding.severity, finding.code, finding.message, hint: finding.hint, at: finding.location,
                    object: "MeshConfig", field: finding.field))
        }
    }

    /// A format that Envoy cannot read would cost every proxy all its listeners.
    private static func accessLogFormat(_ config: MeshConfig, _ checks: Checks) {
        let path = "accessLogFormat"
        func check(_ text: String) {
            guard let problem = SubstitutionFormat.problem(in: text) else { return }
            checks.error(path, "the format \(problem)", hint: "write %% for a per cent sign")
        }
        func check(_ node: YAMLNode) {
            switch node.kind {
            case .scalar: check(node.text)
            case .sequence: for item in node.items { check(item) }
            case .mapping: for entry in node.entries { check(entry.value) }
            case .alias: break
            }
        }
        switch config.accessLogEncoding {
        case .text: check(config.accessLogFormat)
        case .json:
            guard !config.accessLogFormat.isEmpty else { return }
            let file = YAMLFile.parse(file: path, text: Array(config.accessLogFormat.utf8))
            guard file.documents.count == 1, let root = file.documents.first?.root, root.kind == .mapping else {
                checks.warning(path, "the format is no JSON object, so the default format is used")
                return
            }
            check(root)
        }
    }
}
