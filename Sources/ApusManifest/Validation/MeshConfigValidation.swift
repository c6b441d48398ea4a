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
        if let retries = config.defaultHttpRetryPolicy { checks.retries(retries, "defaultHttpRetryPolicy") }
        let ports = [config.proxyListenPort, config.proxyInboundListenPort, config.proxyHttpPort].filter { $0 != 0 }
        if Set(ports).count != ports.count {
            checks.error("proxyListenPort", "proxyListenPort, proxyInboundListenPort and proxyHttpPort must differ")
        }
        for finding in checks.findings {
            decoding.add(
                Finding(
                    finding.severity, finding.code, finding.message, hint: finding.hint, at: finding.location,
                    object: "MeshConfig", field: finding.field))
        }
    }
}
