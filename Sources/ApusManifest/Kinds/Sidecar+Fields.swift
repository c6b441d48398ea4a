internal import ApusCore
internal import ApusModel
internal import ApusYAML

extension Sidecar.CaptureMode: FieldEnum {}
extension OutboundTrafficPolicy.Mode: FieldEnum {}

extension Sidecar: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.readLabels("workloadSelector", in: "labels", &workloadSelector)
        fields.read("egress", &egress)
        fields.read("ingress", &ingress)
        fields.read("outboundTrafficPolicy", &outboundTrafficPolicy)
        fields.read("inboundConnectionPool", &inboundConnectionPool)
    }
}

extension Sidecar.Egress: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("port", &port)
        fields.read("bind", &bind)
        fields.read("captureMode", &captureMode)
        fields.read("hosts", &hosts)
    }
}

extension Sidecar.Ingress: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("port", &port)
        fields.read("bind", &bind)
        fields.read("captureMode", &captureMode)
        fields.read("defaultEndpoint", &defaultEndpoint)
        fields.read("tls", &tls)
        fields.read("connectionPool", &connectionPool)
    }
}

extension OutboundTrafficPolicy: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("mode", &mode)
        fields.read("egressProxy", &egressProxy)
        fields.read("tls", &tls)
    }
}
