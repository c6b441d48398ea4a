internal import ApusManifest
internal import Testing

/// Mesh configs with one mistake each.
///
/// Each text is followed by every finding it must have: `line:column severity CODE message | hint`.
@Suite struct MeshConfigFindingTests {
    static let meshConfig: [Expectation] = [
        Expectation(
            #"an unknown field"#,
            #"""
            accessLogFiel: /dev/stdout
            """#,
            [
                #"1:1 warning APUS0013 unknown field "accessLogFiel" is ignored | did you mean "accessLogFile"?"#
            ]),
        Expectation(
            #"a field without effect"#,
            #"""
            extensionProviders:
            - name: x
            """#,
            [
                #"1:1 warning APUS0900 extensionProviders is understood but has no effect in this version"#
            ]),
        Expectation(
            #"a wrong type"#,
            #"""
            connectTimeout: 10
            """#,
            [
                #"1:17 error IST0106 connectTimeout must be a duration, not the number 10 | write 10s for seconds"#
            ]),
        Expectation(
            #"a trust domain that is no name"#,
            #"""
            trustDomain: my domain
            """#,
            [
                #"1:14 error IST0106 the trust domain "my domain" is not a DNS name: "my domain" is not a label of letters, digits and inner hyphens"#
            ]),
        Expectation(
            #"a log format with half a command"#,
            #"""
            accessLogFormat: "%REQ(:PATH)% %DURATION"
            """#,
            [
                #"1:18 error IST0106 the format has a % that begins no %COMMAND% | write %% for a per cent sign"#
            ]),
        Expectation(
            #"a log format in JSON with a command that lacks its header"#,
            #"""
            accessLogEncoding: JSON
            accessLogFormat: '{"a": "%START_TIME(%s)%", "b": {"c": "%REQ%"}}'
            """#,
            [
                #"2:18 error IST0106 the format has %REQ% without the name of a header in parentheses | write %% for a per cent sign"#
            ]),
        Expectation(
            #"one port for two listeners"#,
            #"""
            proxyHttpPort: 15001
            """#,
            [
                #"1:1 error IST0106 proxyListenPort, proxyInboundListenPort and proxyHttpPort must differ"#
            ]),
        Expectation(
            #"two documents"#,
            #"""
            accessLogFile: a
            ---
            accessLogFile: b
            """#,
            [
                #"3:1 error IST0106 a mesh config is one document, and here a second begins | put the settings into one document"#
            ]),
    ]

    @Test(arguments: meshConfig)
    func meshConfigFindings(_ expectation: Expectation) {
        #expect(expectation.readMeshConfig() == expectation.findings)
    }
}
