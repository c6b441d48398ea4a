import ApusTraffic
import Testing

@Suite struct InternalRedirectTests {
    private func answer(_ location: String, status: UInt16 = 302) -> HTTPHead {
        HTTPHead(status: status, fields: [("location", location), ("x-copy", "1"), ("x-copy", "2")])
    }

    private func follow(
        _ policy: InternalRedirectPolicy, _ location: String, status: UInt16 = 302, method: String = "GET",
        state: inout InternalRedirectState, route: String? = "next"
    ) -> (objection: InternalRedirectPolicy.Objection?, request: HTTPHead) {
        var request = HTTPHead(
            method: method, path: "/old?q", authority: "a.example", fields: [("content-length", "3"), ("x-copy", "0")])
        let objection = policy.follow(
            &request, response: answer(location, status: status), routeName: "first", state: &state
        ) { _ in route }
        return (objection, request)
    }

    @Test func `the request becomes the one of the location, and remembers the old one`() {
        var state = InternalRedirectState()
        let policy = InternalRedirectPolicy(copiedHeaders: [HeaderName("x-copy")])
        let (objection, request) = follow(policy, "http://b.example:81/new?z=1#part", state: &state)
        #expect(objection == nil)
        #expect(request.text(request.authority) == "b.example:81")
        #expect(request.text(request.path) == "/new?z=1")
        #expect(request.text("x-envoy-original-url") == "http://a.example/old?q")
        #expect(request.textFields.filter { $0.name == "x-copy" }.map(\.value) == ["1", "2"])
        let bare = follow(policy, "HTTP://b.example", state: &state)
        #expect(bare.objection == .tooMany)
    }

    @Test(
        "a location that is no absolute HTTP URL is passed on",
        arguments: ["", "/relative", "ftp://b/", "http://", "http:///x", "http://u@b/", "http://b/a b"])
    func badLocation(location: String) {
        var state = InternalRedirectState()
        let (objection, request) = follow(InternalRedirectPolicy(), location, state: &state)
        #expect(objection == .badLocation)
        #expect(request.text(request.path) == "/old?q" && !request.contains(HeaderName("x-envoy-original-url")))
    }

    @Test func `another scheme is followed only where it is allowed, and safely`() {
        var state = InternalRedirectState()
        #expect(follow(InternalRedirectPolicy(), "https://b/", state: &state).objection == .unsafeScheme)
        let crossing = InternalRedirectPolicy(allowsCrossScheme: true)
        let (objection, request) = follow(crossing, "https://b/", state: &state)
        #expect(objection == nil && request.text(request.scheme) == "https")
        var fresh = InternalRedirectState()
        let safe = InternalRedirectPolicy(predicates: [.safeCrossScheme], allowsCrossScheme: true)
        #expect(follow(safe, "https://b/", state: &fresh).objection == .predicate)
    }

    @Test func `predicates judge the route that the new request would take`() {
        var state = InternalRedirectState()
        let listed = InternalRedirectPolicy(predicates: [.allowedRoutes(["good"])])
        #expect(follow(listed, "http://b/", state: &state, route: "bad").objection == .predicate)
        #expect(follow(listed, "http://b/", state: &state, route: nil).objection == .noRoute)
        #expect(follow(listed, "http://b/", state: &state, route: "good").objection == nil)
        var other = InternalRedirectState()
        let once = InternalRedirectPolicy(maxRedirects: 5, predicates: [.previousRoutes])
        #expect(follow(once, "http://b/", state: &other).objection == nil)
        #expect(follow(once, "http://b/", state: &other).objection == .predicate)
        #expect(follow(once, "http://b/", state: &other, route: "third").objection == nil)
        #expect(other.count == 2)
    }

    @Test func `303 turns everything but HEAD into GET without a body`() {
        var state = InternalRedirectState()
        let policy = InternalRedirectPolicy(maxRedirects: 9)
        let post = follow(policy, "http://b/", status: 303, method: "POST", state: &state).request
        #expect(post.method == .get && !post.contains(.contentLength))
        #expect(follow(policy, "http://b/", status: 303, method: "HEAD", state: &state).request.method == .head)
        #expect(follow(policy, "http://b/", status: 307, method: "POST", state: &state).request.method == .post)
    }
}
