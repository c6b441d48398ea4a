internal import ApusCore
internal import ApusManifest
internal import ApusModel
internal import Testing

@Suite struct ManifestReaderTests {
    private func read(_ text: String) -> ManifestFile { ManifestReader.read(file: "f.yaml", text: Array(text.utf8)) }

    @Test func aRoutingRuleIsDecodedWithItsPlaces() throws {
        let file = read(
            """
            apiVersion: networking.istio.io/v1beta1
            kind: VirtualService
            metadata:
              name: reviews
            spec:
              hosts: [reviews]
              http:
                - match:
                    - uri: {prefix: /api}
                      headers:
                        x-user: {exact: a}
                  route:
                    - destination: {host: reviews, subset: v1, port: {number: 80}}
                      weight: 90
                    - destination:
                        host: reviews
                        subset: v2
                      weight: 10
                  timeout: 1.5s
                  retries: {attempts: 3, per_try_timeout: 500ms, retryOn: "5xx,reset"}
            """)
        #expect(file.findings.isEmpty)
        let object = try #require(file.objects.first)
        #expect(object.key.description == "VirtualService default/reviews")
        guard case .virtualService(let spec) = object.spec else { throw Failure() }
        #expect(spec.http[0].match[0].uri == .prefix("/api"))
        #expect(spec.http[0].route[1].destination == Destination(host: "reviews", subset: "v2"))
        #expect(spec.http[0].timeout == .milliseconds(1500))
        #expect(spec.http[0].retries?.perTryTimeout == .milliseconds(500))
        #expect(object.origin.location(of: "spec.http[0].route[1].destination.host").description == "f.yaml:16:19")
        #expect(object.origin.location(of: "spec.http[0].retries.perTryTimeout").position.line == 20)
        #expect(object.origin.location(of: "spec.http[0].fault").description == "f.yaml:8:7")
    }

    private struct Failure: Error {}
}
