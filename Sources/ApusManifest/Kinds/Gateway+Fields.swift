internal import ApusCore
internal import ApusModel
internal import ApusYAML

extension Gateway: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("servers", &servers)
        fields.read("selector", &selector)
    }
}

extension PortSpec: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("number", &number)
        fields.read("name", &name)
        fields.read("protocol", &`protocol`)
        `protocol` = `protocol`.uppercased()
        fields.read("targetPort", &targetPort)
    }
}

extension Server: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("port", &port)
        fields.read("bind", &bind)
        fields.read("hosts", &hosts)
        fields.read("tls", &tls)
        fields.read("defaultEndpoint", &defaultEndpoint)
        fields.read("name", &name)
    }
}

extension ServerTLSSettings.Mode: FieldEnum {}
extension ServerTLSSettings.ProtocolVersion: FieldEnum {}

extension ServerTLSSettings: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("httpsRedirect", &httpsRedirect)
        fields.read("mode", &mode)
        fields.read("serverCertificate", &serverCertificate)
        fields.read("privateKey", &privateKey)
        fields.read("caCertificates", &caCertificates)
        fields.read("caCrl", &caCrl)
        fields.read("credentialName", &credentialName)
        fields.read("credentialNames", &credentialNames)
        fields.read("caCertCredentialName", &caCertCredentialName)
        fields.read("tlsCertificates", &tlsCertificates)
        fields.read("subjectAltNames", &subjectAltNames)
        fields.read("verifyCertificateSpki", &verifyCertificateSpki)
        fields.read("verifyCertificateHash", &verifyCertificateHash)
        fields.read("minProtocolVersion", &minProtocolVersion)
        fields.read("maxProtocolVersion", &maxProtocolVersion)
        fields.read("cipherSuites", &cipherSuites)
    }
}

extension ServerTLSSettings.Certificate: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("serverCertificate", &serverCertificate)
        fields.read("privateKey", &privateKey)
        fields.read("caCertificates", &caCertificates)
    }
}
