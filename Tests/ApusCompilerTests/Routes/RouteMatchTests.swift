import ApusAPI
import ApusCompiler
import ApusModel
import SwiftProtobuf
import Testing

@Suite struct RouteMatchTests {
    private func match(_ change: (inout HTTPMatch) -> Void) -> XDS.RouteMatch {
        Outbound.route { $0.match = [Outbound.match(change)] }.match
    }

    private func routes(
        _ match: HTTPMatch, labels: [String: String] = [:], in namespace: String = "default"
    ) -> [XDS.Route] {
        Outbound.routes(
            [
                Outbound.rule {
                    $0.match = [match]
                    $0.route = [Outbound.to("reviews")]
                }
            ], labels: labels, in: namespace)
    }

    @Test func `no match means prefix slash`() {
        #expect(Outbound.route { _ in }.match.prefix == "/")
    }

    @Test func `an exact uri is a path`() { #expect(match { $0.uri = .exact("/a") }.path == "/a") }

    @Test func `a uri prefix is a plain string prefix`() { #expect(match { $0.uri = .prefix("/a") }.prefix == "/a") }

    @Test func `a uri regex is a full-match RE2`() {
        #expect(match { $0.uri = .regex("/a.*") }.safeRegex.regex == "/a.*")
    }

    @Test func `ignoreUriCase makes the path case-insensitive`() {
        let match = match {
            $0.uri = .prefix("/a")
            $0.ignoreUriCase = true
        }
        #expect(match.hasCaseSensitive && !match.caseSensitive.value)
    }

    @Test func `headers are matched in the order of their names`() {
        let match = match { $0.headers = ["b": .exact("1"), "a": .prefix("2"), "c": .regex("3.*"), "d": .present] }
        #expect(match.headers.map(\.name) == ["a", "b", "c", "d"])
        #expect(match.headers[0].stringMatch.prefix == "2")
        #expect(match.headers[1].stringMatch.exact == "1")
        #expect(match.headers[2].stringMatch.safeRegex.regex == "3.*")
        #expect(match.headers[3].presentMatch)
    }

    @Test func `a header regex of one star means presence`() {
        #expect(match { $0.headers = ["a": .regex("*")] }.headers[0].presentMatch)
    }

    @Test func `withoutHeaders inverts, and a missing header counts as empty`() {
        let headers = match { $0.withoutHeaders = ["a": .exact("1"), "b": .present] }.headers
        #expect(headers[0].invertMatch && headers[0].treatMissingHeaderAsEmpty)
        #expect(headers[1].invertMatch && headers[1].presentMatch && !headers[1].treatMissingHeaderAsEmpty)
    }

    @Test func `method, authority and scheme match pseudo headers`() {
        let headers = match {
            $0.method = .exact("GET")
            $0.authority = .prefix("a.")
            $0.scheme = .exact("https")
        }.headers
        #expect(headers.map(\.name) == [":method", ":authority", ":scheme"])
        #expect(headers.map(\.stringMatch.exact) == ["GET", "", "https"])
    }

    @Test func `query parameters match exact, prefix, regex and presence`() {
        let parameters = match {
            $0.queryParams = ["a": .exact("1"), "b": .prefix("2"), "c": .regex("3"), "d": .present]
        }.queryParameters
        #expect(parameters.map(\.name) == ["a", "b", "c", "d"])
        #expect(parameters[0].stringMatch.exact == "1")
        #expect(parameters[1].stringMatch.prefix == "2")
        #expect(parameters[2].stringMatch.safeRegex.regex == "3")
        #expect(parameters[3].presentMatch)
    }

    @Test(arguments: ["@request.auth.claims.a.b", "@request.auth.claims[a][b]"])
    func `a claim header matches the token's payload`(header: String) {
        let metadata = match { $0.headers = [header: .exact("x")] }.dynamicMetadata
        #expect(metadata.count == 1)
        #expect(metadata[0].filter == "envoy.filters.http.jwt_authn")
        #expect(metadata[0].path.map(\.key) == ["payload", "a", "b"])
    }

    @Test func `a match for another port is left out when compiling`() {
        #expect(routes(Outbound.match { $0.port = 8080 }).isEmpty)
        #expect(routes(Outbound.match { $0.port = 80 }).count == 1)
    }

    @Test func `sourceLabels are compared with the client`() {
        let match = Outbound.match { $0.sourceLabels = ["app": "a"] }
        #expect(routes(match, labels: ["app": "a"]).count == 1)
        #expect(routes(match, labels: ["app": "b"]).isEmpty)
    }

    @Test func `sourceNamespace is compared with the client`() {
        let match = Outbound.match { $0.sourceNamespace = "other" }
        #expect(routes(match, in: "other").count == 1)
        #expect(routes(match).isEmpty)
    }

    @Test func `a match for gateways only is not for sidecars, whatever its labels`() {
        #expect(routes(Outbound.match { $0.gateways = ["mesh"] }).count == 1)
        let foreign = Outbound.match { $0.gateways = ["default/other"] }
        #expect(routes(foreign).isEmpty)
        let labelled = Outbound.match {
            $0.gateways = ["mesh"]
            $0.sourceLabels = ["app": "a"]
        }
        #expect(routes(labelled, labels: ["app": "b"]).count == 1)
    }

    @Test func `entries of a match list are alternatives, one route each`() {
        let rule = Outbound.rule {
            $0.name = "r"
            $0.match = [
                Outbound.match {
                    $0.name = "one"
                    $0.uri = .prefix("/a")
                }, Outbound.match { $0.uri = .prefix("/b") },
            ]
            $0.route = [Outbound.to("reviews")]
        }
        let routes = Outbound.routes([rule])
        #expect(routes.map(\.match.prefix) == ["/a", "/b"])
        #expect(routes.map(\.name) == ["r.one", "r"])
    }

    @Test func `rules after one that matches everything are not sent`() {
        let all = Outbound.rule { $0.route = [Outbound.to("reviews")] }
        #expect(Outbound.routes([all, all]).count == 1)
        let prefix = Outbound.rule {
            $0.match = [Outbound.match { $0.uri = .prefix("/") }]
            $0.route = [Outbound.to("reviews")]
        }
        #expect(Outbound.routes([prefix, all]).count == 1)
        let headers = Outbound.rule {
            $0.match = [Outbound.match { $0.headers = ["a": .exact("1")] }]
            $0.route = [Outbound.to("reviews")]
        }
        #expect(Outbound.routes([headers, all]).count == 2)
    }

    @Test func `statPrefix becomes the route's`() {
        let route = Outbound.route { $0.match = [Outbound.match { $0.statPrefix = "s" }] }
        #expect(route.statPrefix == "s")
    }
}
