internal import ApusManifest
internal import Testing

/// Manifests with one mistake each, read alone.
///
/// Each text is followed by every finding it must have: `line:column severity CODE message | hint`.
@Suite struct InvalidManifestTests {
    static let yaml: [Expectation] = [
        Expectation(
            #"a key written twice"#,
            #"""
            apiVersion: v1
            kind: ConfigMap
            metadata:
              name: a
              name: b
            """#,
            [
                #"5:3 error APUS0002 the key "name" stands twice in one mapping; it was first written at line 4, column 3 | remove one of them"#
            ]),
        Expectation(
            #"two documents without a line between them"#,
            #"""
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: a}
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: b}
            """#,
            [
                #"4:1 error APUS0002 the key "apiVersion" stands twice in one mapping; it was first written at line 1, column 1 | if a second object begins here, put a line with --- before line 4"#
            ]),
        Expectation(
            #"text that is not YAML"#,
            #"""
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: a
            """#,
            [
                #"4:1 error APUS0001 this is not YAML: did not find expected ',' or '}' while parsing a flow mapping that begins at line 3"#
            ]),
        Expectation(
            #"a tab as indentation"#,
            #"""
            apiVersion: v1
            kind: ConfigMap
            metadata:
            \#tname: a
            """#,
            [
                #"4:1 error APUS0001 this is not YAML: found character that cannot start any token while scanning for the next token | indent with spaces, not with tabs"#
            ]),
        Expectation(
            #"an alias without an anchor"#,
            #"""
            apiVersion: v1
            kind: ConfigMap
            metadata: *m
            """#,
            [
                #"3:11 error APUS0001 the alias *m has no anchor &m before it"#
            ]),
        Expectation(
            #"a collection as a key"#,
            #"""
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: a}
            data:
              ? [x, y]
              : z
            """#,
            [
                #"5:5 error APUS0005 a key must be a string, not a collection"#
            ]),
        Expectation(
            #"a merge key without a mapping"#,
            #"""
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: a}
            data:
              <<: 5
            """#,
            [
                #"5:7 error APUS0005 the merge key << takes a mapping or a list of mappings"#
            ]),
        Expectation(
            #"an unknown tag"#,
            #"""
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: !secret a}
            """#,
            [
                #"3:18 error APUS0005 the tag !secret is not known here"#
            ]),
        Expectation(
            #"a control character"#,
            #"""
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: "a\#u{7}"}
            """#,
            [
                #"3:20 error APUS0004 the file contains the control character 0x07 | remove the character, or write it as \x07 in double quotes"#
            ]),
        Expectation(
            #"a document that is a list"#,
            #"""
            - a
            - b
            """#,
            [
                #"1:1 error APUS0010 a document must be a mapping with apiVersion, kind and metadata, not a list"#
            ]),
        Expectation(
            #"a document that is a word"#,
            #"""
            hello
            """#,
            [
                #"1:1 error APUS0010 a document must be a mapping with apiVersion, kind and metadata, not the string "hello""#
            ]),
    ]

    @Test(arguments: yaml)
    func yamlFindings(_ expectation: Expectation) {
        #expect(expectation.read() == expectation.findings)
    }

    static let identity: [Expectation] = [
        Expectation(
            #"no kind"#,
            #"""
            apiVersion: v1
            metadata: {name: a}
            """#,
            [
                #"1:1 error APUS0010 the document has no kind | every object says apiVersion, kind and metadata.name"#
            ]),
        Expectation(
            #"no apiVersion"#,
            #"""
            kind: Service
            metadata: {name: a}
            """#,
            [
                #"1:1 error APUS0010 the document has no apiVersion | every object says apiVersion, kind and metadata.name"#
            ]),
        Expectation(
            #"neither"#,
            #"""
            metadata: {name: a}
            """#,
            [
                #"1:1 error APUS0010 the document has no apiVersion and no kind | every object says apiVersion, kind and metadata.name"#
            ]),
        Expectation(
            #"no name"#,
            #"""
            apiVersion: v1
            kind: Service
            metadata: {namespace: x}
            """#,
            [
                #"3:11 error APUS0010 the Service has no metadata.name"#
            ]),
        Expectation(
            #"a version that is not served"#,
            #"""
            apiVersion: networking.istio.io/v1beta1
            kind: EnvoyFilter
            metadata: {name: a}
            spec: {}
            """#,
            [
                #"1:13 error APUS0012 EnvoyFilter is not served as networking.istio.io/v1beta1 | write apiVersion: networking.istio.io/v1alpha3"#
            ]),
        Expectation(
            #"an unknown kind with a suggestion"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualServices
            metadata: {name: a}
            """#,
            [
                #"2:7 info APUS0011 networking.istio.io/v1 VirtualServices is not a kind that Apus reads | did you mean VirtualService?"#
            ]),
        Expectation(
            #"a known kind of another group"#,
            #"""
            apiVersion: serving.knative.dev/v1
            kind: Service
            metadata: {name: a}
            """#,
            [
                #"2:7 info APUS0011 serving.knative.dev/v1 Service is not a kind that Apus reads | Service of v1 is read"#
            ]),
        Expectation(
            #"a kind that would change traffic in Istio"#,
            #"""
            apiVersion: gateway.networking.k8s.io/v1
            kind: HTTPRoute
            metadata: {name: a}
            """#,
            [
                #"2:7 warning APUS0900 gateway.networking.k8s.io/v1 HTTPRoute is not supported: the object has no effect"#
            ]),
        Expectation(
            #"a name with capitals"#,
            #"""
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: Mesh}
            """#,
            [
                #"3:18 error IST0106 the name "Mesh" has capitals | write mesh"#
            ]),
        Expectation(
            #"a name with an underscore"#,
            #"""
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: my_mesh}
            """#,
            [
                #"3:18 error IST0106 the name "my_mesh" is not a DNS name: "my_mesh" is not a label of letters, digits and inner hyphens"#
            ]),
        Expectation(
            #"a label that is a number"#,
            #"""
            apiVersion: v1
            kind: ConfigMap
            metadata:
              name: a
              labels:
                version: 2
            """#,
            [
                #"6:14 error IST0106 version must be a string, not the number 2 | put it in quotes: "2""#
            ]),
        Expectation(
            #"a label with a space"#,
            #"""
            apiVersion: v1
            kind: ConfigMap
            metadata:
              name: a
              labels:
                version: v 2
            """#,
            [
                #"6:14 error IST0106 "v 2" is not a label's value | use at most 63 letters, digits, -, _ and ."#
            ]),
        Expectation(
            #"a time that is none"#,
            #"""
            apiVersion: v1
            kind: ConfigMap
            metadata:
              name: a
              creationTimestamp: yesterday
            """#,
            [
                #"5:22 error IST0106 creationTimestamp must be a time such as 2026-01-31T12:00:00Z, not the string "yesterday""#
            ]),
        Expectation(
            #"items that are no list"#,
            #"""
            apiVersion: v1
            kind: List
            items: {a: b}
            """#,
            [
                #"3:8 error APUS0010 the items of a List must be a list"#
            ]),
        Expectation(
            #"a dry-run annotation on another kind"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a, annotations: {istio.io/dry-run: "true"}}
            spec: {host: b}
            """#,
            [
                #"3:53 warning IST0125 istio.io/dry-run works only on an AuthorizationPolicy with action ALLOW or DENY"#
            ]),
    ]

    @Test(arguments: identity)
    func identityFindings(_ expectation: Expectation) {
        #expect(expectation.read() == expectation.findings)
    }

    static let fields: [Expectation] = [
        Expectation(
            #"an unknown field with a suggestion"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                timeuot: 5s
            """#,
            [
                #"9:5 warning APUS0013 unknown field "timeuot" is ignored | did you mean "timeout"?"#
            ]),
        Expectation(
            #"an unknown field without one"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                circuitBreaker: {}
            """#,
            [
                #"9:5 warning APUS0013 unknown field "circuitBreaker" is ignored"#
            ]),
        Expectation(
            #"an unknown field beside spec"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            sepc: {host: c}
            spec: {host: b}
            """#,
            [
                #"4:1 warning APUS0013 unknown field "sepc" is ignored | did you mean "spec"?"#
            ]),
        Expectation(
            #"a string where a list belongs"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: b
              http:
              - route:
                - destination: {host: b}
            """#,
            [
                #"5:10 error IST0106 hosts must be a list, not the string "b" | write it as [b]"#
            ]),
        Expectation(
            #"a list where a string belongs"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: [b]
            """#,
            [
                #"5:9 error IST0106 host must be a string, not a list"#
            ]),
        Expectation(
            #"a number where a string belongs"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                headers:
                  request:
                    set:
                      x-version: 2
            """#,
            [
                #"12:22 error IST0106 x-version must be a string, not the number 2 | put it in quotes: "2""#
            ]),
        Expectation(
            #"a mapping where a number belongs"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                retries: {attempts: {value: 3}}
            """#,
            [
                #"9:25 error IST0106 attempts must be a whole number, not a mapping"#
            ]),
        Expectation(
            #"a number that is too large"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                retries: {attempts: 3000000000}
            """#,
            [
                #"9:25 error IST0106 attempts must be a whole number from -2147483648 to 2147483647, not the number 3000000000"#
            ]),
        Expectation(
            #"a duration without unit"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                timeout: 5
            """#,
            [
                #"9:14 error IST0106 timeout must be a duration, not the number 5 | write 5s for seconds"#
            ]),
        Expectation(
            #"a duration with an unknown unit"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                timeout: 5sec
            """#,
            [
                #"9:14 error IST0106 timeout must be a duration, not the string "5sec" | write a number and a unit: 1.5s, 10ms, 1h"#
            ]),
        Expectation(
            #"a negative duration"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                timeout: -5s
            """#,
            [
                #"9:14 error IST0106 timeout must be a duration, not the string "-5s" | write a number and a unit: 1.5s, 10ms, 1h"#
            ]),
        Expectation(
            #"an unknown enumeration value"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                loadBalancer:
                  simple: ROUNDROBIN
            """#,
            [
                #"8:15 error IST0106 simple has the unknown value "ROUNDROBIN" | did you mean ROUND_ROBIN?"#
            ]),
        Expectation(
            #"a quoted boolean"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                connectionPool:
                  http:
                    useClientProtocol: "true"
            """#,
            [
                #"9:28 error IST0106 useClientProtocol must be true or false, not the string "true" | write it without quotes"#
            ]),
        Expectation(
            #"a plain string where a match belongs"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                match:
                - uri: /api
            """#,
            [
                #"10:12 error IST0106 uri must be a mapping with exact, prefix or regex, not the string "/api" | write {exact: "/api"}"#
            ]),
        Expectation(
            #"two alternatives in one match"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                match:
                - uri: {exact: /a, prefix: /b}
            """#,
            [
                #"10:12 error IST0106 uri has more than one of exact, prefix and regex | keep one of them"#
            ]),
        Expectation(
            #"a null in a list"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b, null]
              http:
              - route:
                - destination: {host: b}
            """#,
            [
                #"5:14 error IST0106 hosts[1] must be a string, not null | write "" for an empty string"#
            ]),
        Expectation(
            #"all problems of one object at once"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                timeout: soon
                retries: {attempts: many}
                falt: {}
            """#,
            [
                #"9:14 error IST0106 timeout must be a duration, not the string "soon" | write a number and a unit: 1.5s, 10ms, 1h"#,
                #"10:25 error IST0106 attempts must be a whole number, not the string "many""#,
                #"11:5 warning APUS0013 unknown field "falt" is ignored | did you mean "fault"?"#,
            ]),
    ]

    @Test(arguments: fields)
    func fieldsFindings(_ expectation: Expectation) {
        #expect(expectation.read() == expectation.findings)
    }

    static let virtualService: [Expectation] = [
        Expectation(
            #"no rule"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
            """#,
            [
                #"4:1 error IST0106 the VirtualService has no http, tls or tcp rule"#
            ]),
        Expectation(
            #"a delegate with gateways"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              gateways: [x]
              http:
              - route:
                - destination: {host: b}
            """#,
            [
                #"5:3 error IST0106 a VirtualService without hosts is a delegate and cannot have gateways | name hosts, or remove gateways"#
            ]),
        Expectation(
            #"the host * for the mesh"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: ["*"]
              http:
              - route:
                - destination: {host: b}
            """#,
            [
                #"5:11 error IST0106 the host * cannot be bound to the mesh | name the hosts, or name a gateway other than mesh"#
            ]),
        Expectation(
            #"a host twice"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b, b]
              http:
              - route:
                - destination: {host: b}
            """#,
            [
                #"5:14 error IST0106 the host "b" stands twice"#
            ]),
        Expectation(
            #"overlapping hosts"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: ["*.example.com", a.example.com]
              http:
              - route:
                - destination: {host: b}
            """#,
            [
                #"5:28 error IST0106 the host "a.example.com" overlaps with "*.example.com""#
            ]),
        Expectation(
            #"a host that is no name"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [my_host]
              http:
              - route:
                - destination: {host: b}
            """#,
            [
                #"5:11 error IST0106 the host "my_host" is not a DNS name: "my_host" is not a label of letters, digits and inner hyphens"#
            ]),
        Expectation(
            #"a rule without action"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - timeout: 5s
            """#,
            [
                #"7:5 error IST0106 the rule has no route, redirect, directResponse or delegate"#
            ]),
        Expectation(
            #"a route and a redirect"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                redirect: {uri: /x}
            """#,
            [
                #"7:5 error IST0106 the rule has more than one of route, redirect and directResponse"#
            ]),
        Expectation(
            #"a fault with a redirect"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - redirect: {uri: /x}
                fault:
                  abort: {httpStatus: 503, percentage: {value: 1}}
            """#,
            [
                #"8:5 error IST0106 a rule with a redirect cannot have a fault"#
            ]),
        Expectation(
            #"a rewrite with a direct response"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - directResponse: {status: 200}
                rewrite: {uri: /x}
            """#,
            [
                #"8:5 error IST0106 a rule with a directResponse cannot have a rewrite"#
            ]),
        Expectation(
            #"a delegate with a route"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                delegate: {name: x}
            """#,
            [
                #"7:5 error IST0106 a rule with a delegate cannot have a route"#
            ]),
        Expectation(
            #"mirror and mirrors"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                mirror: {host: c}
                mirrors:
                - destination: {host: d}
            """#,
            [
                #"10:5 error IST0106 the rule has both mirror and mirrors | move mirror into mirrors"#
            ]),
        Expectation(
            #"a mirror percentage over 100"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                mirror: {host: c}
                mirrorPercentage: {value: 101}
            """#,
            [
                #"10:5 error IST0106 101 is not a percentage | use 0 to 100"#
            ]),
        Expectation(
            #"weights that are all zero"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                - destination: {host: c}
            """#,
            [
                #"7:5 error IST0106 the weights of the destinations add up to 0 | give at least one a weight"#
            ]),
        Expectation(
            #"a negative weight"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                  weight: -1
                - destination: {host: c}
                  weight: 1
            """#,
            [
                #"9:15 error IST0106 the weight -1 is negative"#
            ]),
        Expectation(
            #"an unknown retry condition"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                retries: {attempts: 2, retryOn: "5xx,conect-failure"}
            """#,
            [
                #"9:37 error IST0106 retryOn has the unknown condition "conect-failure" | did you mean connect-failure?"#
            ]),
        Expectation(
            #"a space in the retry conditions"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                retries: {attempts: 2, retryOn: "5xx, reset"}
            """#,
            [
                #"9:37 error IST0106 retryOn has the unknown condition " reset" | write the list without spaces"#
            ]),
        Expectation(
            #"an unregistered status in the retry conditions"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                retries: {attempts: 2, retryOn: "599"}
            """#,
            [
                #"9:37 error IST0106 retryOn has 599, which is no registered HTTP status"#
            ]),
        Expectation(
            #"no attempts but other retry fields"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                retries: {attempts: 0, perTryTimeout: 1s}
            """#,
            [
                #"9:25 error IST0106 attempts is 0, which turns retries off, but other retry fields are set | give attempts, or remove the other fields"#
            ]),
        Expectation(
            #"negative attempts"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                retries: {attempts: -1}
            """#,
            [
                #"9:25 error IST0106 attempts is negative"#
            ]),
        Expectation(
            #"a time-out of zero"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                timeout: 0s
            """#,
            [
                #"9:14 error IST0106 the duration is less than 1ms | leave it out: no time-out is the default"#
            ]),
        Expectation(
            #"a time-out finer than a millisecond"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                timeout: 1500us
            """#,
            [
                #"9:14 error IST0106 the duration is finer than 1ms | round it to whole milliseconds"#
            ]),
        Expectation(
            #"an empty match"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                match:
                - uri: {exact: ""}
            """#,
            [
                #"10:7 error IST0106 uri is matched with an empty string"#
            ]),
        Expectation(
            #"a regular expression that RE2 refuses"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                match:
                - uri: {regex: "(?=a)"}
            """#,
            [
                #"10:20 error IST0122 the regular expression is not valid: invalid perl operator: (?= | write it in RE2 syntax; look-around and back references do not exist there"#
            ]),
        Expectation(
            #"a regular expression that is too long"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                match:
                - uri: {regex: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}
            """#,
            [
                #"10:20 error IST0122 the regular expression has 1025 bytes, more than 1024"#
            ]),
        Expectation(
            #"a header name with a space"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                match:
                - headers:
                    "x user": {exact: a}
            """#,
            [
                #"11:9 error IST0106 "x user" is not the name of a header"#
            ]),
        Expectation(
            #"a redirect status that is none"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - redirect: {uri: /x, redirectCode: 200}
            """#,
            [
                #"7:39 error IST0106 200 is not the status of a redirect | use 301, 302, 303, 307 or 308"#
            ]),
        Expectation(
            #"a redirect with uri and prefixRewrite"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - redirect: {uri: /x, prefixRewrite: /y}
            """#,
            [
                #"7:40 error IST0106 the redirect has both uri and prefixRewrite | keep one of them"#
            ]),
        Expectation(
            #"a redirect to another scheme"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - redirect: {scheme: ftp}
            """#,
            [
                #"7:24 error IST0106 the scheme "ftp" is not http or https"#
            ]),
        Expectation(
            #"a redirect that changes nothing"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - redirect: {redirectCode: 302}
            """#,
            [
                #"7:5 error IST0106 the redirect changes nothing | give it a uri, authority, scheme or port"#
            ]),
        Expectation(
            #"a rewrite of nothing"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                rewrite: {}
            """#,
            [
                #"9:5 error IST0106 the rewrite has none of uri, authority and uriRegexRewrite"#
            ]),
        Expectation(
            #"a rewrite to a missing group"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                rewrite:
                  uriRegexRewrite: {match: "/a", rewrite: "/\\1"}
            """#,
            [
                #"10:47 error IST0106 the rewrite refers to a group that the expression does not have | groups are \1 to \9, as many as the expression has parentheses"#
            ]),
        Expectation(
            #"the authority set twice"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                headers:
                  request:
                    set: {host: a, ":authority": b}
            """#,
            [
                #"10:7 error IST0106 the authority is set more than once | keep one of host and :authority"#
            ]),
        Expectation(
            #"a header value with a stray per cent sign"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                headers:
                  request:
                    set: {x-share: "50%"}
            """#,
            [
                #"11:24 error IST0106 the value of x-share has a % that begins no %COMMAND% | write %% for a per cent sign"#
            ]),
        Expectation(
            #"header values with commands that Envoy does not have, or not so"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                headers:
                  request:
                    set:
                      a: "%UNKNOWN_OPERATOR%"
                      b: "%PROTOCOLL%"
                      c: "%PROTOCOL(x)% %START_TIME(%s):3%"
                      d: "%DURATION:5%"
                      e: "%ENVIRONMENT%"
                      f: "%UPSTREAM_METADATA(a:b):4%"
                      g: "%PATH(all)%"
                  response:
                    set:
                      h: "%PROTOCOL% %START_TIME(%s.%3f)% %REQ(:PATH?x):9% %PATH(NQ:ORIG)% %PATH:5% %RESPONSE_CODE_DETAILS%"
                      i: "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:ms)% %UPSTREAM_METADATA(a:b)% %DYNAMIC_METADATA(a:b):7% %%5%%"
            """#,
            [
                #"12:14 error IST0106 the value of a has %UNKNOWN_OPERATOR%, which is no command of Envoy | write %% for a per cent sign"#,
                #"13:14 error IST0106 the value of b has %PROTOCOLL%, which is no command of Envoy (did you mean %PROTOCOL%?) | write %% for a per cent sign"#,
                #"14:14 error IST0106 the value of c has %PROTOCOL% with an argument, and it takes none | write %% for a per cent sign"#,
                #"15:14 error IST0106 the value of d has %DURATION% with an argument, and it takes none | write %% for a per cent sign"#,
                #"16:14 error IST0106 the value of e has %ENVIRONMENT% without an argument in parentheses | write %% for a per cent sign"#,
                #"17:14 error IST0106 the value of f has %UPSTREAM_METADATA% with a length, and it takes none | write %% for a per cent sign"#,
                #"18:14 error IST0106 the value of g has %PATH% with an argument other than WQ, NQ | write %% for a per cent sign"#,
            ]),
        Expectation(
            #"a CORS age in parts of a second"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                corsPolicy:
                  maxAge: 1500ms
            """#,
            [
                #"10:15 error IST0106 maxAge is not in whole seconds"#
            ]),
        Expectation(
            #"a CORS method in lower case"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                corsPolicy:
                  allowMethods: [get]
            """#,
            [
                #"10:22 error IST0106 the method "get" is not supported | write GET"#
            ]),
        Expectation(
            #"an abort status out of range"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                fault:
                  abort: {httpStatus: 99, percentage: {value: 5}}
            """#,
            [
                #"10:27 error IST0106 httpStatus 99 is not in 200 to 599"#
            ]),
        Expectation(
            #"an abort that does nothing"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                fault:
                  abort: {percentage: {value: 5}}
            """#,
            [
                #"10:7 warning IST0133 the abort has no httpStatus or grpcStatus and does nothing"#
            ]),
        Expectation(
            #"an HTTP/2 abort"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                fault:
                  abort: {http2Error: REFUSED, percentage: {value: 5}}
            """#,
            [
                #"10:15 error IST0106 an HTTP/2 abort is not supported | use httpStatus or grpcStatus"#
            ]),
        Expectation(
            #"a percentage that is too fine"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                fault:
                  abort: {httpStatus: 500, percentage: {value: 0.00001}}
            """#,
            [
                #"10:32 error IST0106 the percentage 1e-05 is finer than 0.0001 | use 0, or 0.0001 to 100"#
            ]),
        Expectation(
            #"an unknown gRPC status"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                fault:
                  abort: {grpcStatus: UNAVAILABL, percentage: {value: 5}}
            """#,
            [
                #"10:27 error IST0106 grpcStatus "UNAVAILABL" is unknown | did you mean UNAVAILABLE?"#
            ]),
        Expectation(
            #"a delay without duration"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                fault:
                  delay: {percentage: {value: 5}}
            """#,
            [
                #"10:7 error IST0106 the delay has no fixedDelay"#
            ]),
        Expectation(
            #"a TLS match without SNI"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b.example]
              tls:
              - match: [{port: 443}]
                route: [{destination: {host: b}}]
            """#,
            [
                #"7:13 error IST0106 a tls match needs sniHosts"#
            ]),
        Expectation(
            #"an SNI that is no host"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b.example]
              tls:
              - match: [{sniHosts: [c.example]}]
                route: [{destination: {host: b}}]
            """#,
            [
                #"7:25 error IST0106 the SNI "c.example" is not one of the VirtualService's hosts | add it to hosts"#
            ]),
        Expectation(
            #"port zero"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b, port: {number: 0}}
            """#,
            [
                #"8:30 error IST0106 the port 0 is not in 1 to 65535"#
            ]),
        Expectation(
            #"a subnet that is none"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              tcp:
              - match: [{destinationSubnets: [10.0.0/8]}]
                route: [{destination: {host: b}}]
            """#,
            [
                #"7:35 error IST0106 "10.0.0/8" is not an IP address or range | write 10.1.2.3 or 10.0.0.0/8"#
            ]),
        Expectation(
            #"a direct response with an impossible status"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - directResponse: {status: 99}
            """#,
            [
                #"7:30 error IST0106 status 99 is not in 200 to 599"#
            ]),
        Expectation(
            #"a rule behind one that takes everything"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route: [{destination: {host: b}}]
              - match: [{uri: {prefix: /x}}]
                route: [{destination: {host: c}}]
            """#,
            [
                #"8:5 warning IST0130 the rule is never used: rule 0 before it takes every request | put the more specific rule first"#
            ]),
        Expectation(
            #"a match behind a wider prefix"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - match: [{uri: {prefix: /x}}]
                route: [{destination: {host: b}}]
              - match:
                - uri: {exact: /x/y}
                - uri: {exact: /z}
                route: [{destination: {host: c}}]
            """#,
            [
                #"10:7 info IST0131 the match is never used: rule 0 before it takes the same requests"#
            ]),
        Expectation(
            #"the old percentage of a mirror"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
                mirror: {host: c}
                mirror_percent: 50
            """#,
            [
                #"10:5 warning IST0002 mirrorPercent is deprecated | use mirrorPercentage"#
            ]),
        Expectation(
            #"exportTo with * and another"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              exportTo: ["*", x]
              http:
              - route:
                - destination: {host: b}
            """#,
            [
                #"6:3 error IST0106 exportTo has "*" beside other entries | keep one of the two"#
            ]),
        Expectation(
            #"a gateway name with two slashes"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b.example]
              gateways: [a/b/c]
              http:
              - route:
                - destination: {host: b}
            """#,
            [
                #"6:14 error IST0106 "a/b/c" does not name a gateway | write mesh, NAME or NAMESPACE/NAME"#
            ]),
    ]

    @Test(arguments: virtualService)
    func virtualServiceFindings(_ expectation: Expectation) {
        #expect(expectation.read() == expectation.findings)
    }

    static let destinationRule: [Expectation] = [
        Expectation(
            #"no host"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              subsets: [{name: v1}]
            """#,
            [
                #"4:1 error IST0106 the DestinationRule has no host"#
            ]),
        Expectation(
            #"an empty traffic policy"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy: {}
            """#,
            [
                #"6:3 error IST0106 the trafficPolicy is empty | remove it, or set something in it"#
            ]),
        Expectation(
            #"an empty connection pool"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                connectionPool: {}
            """#,
            [
                #"7:5 error IST0106 the connectionPool is empty | remove it, or set tcp or http"#
            ]),
        Expectation(
            #"a subset twice"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              subsets: [{name: v1}, {name: v1}]
            """#,
            [
                #"6:32 error IST0106 the subset "v1" stands twice"#
            ]),
        Expectation(
            #"a subset without name"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              subsets: [{labels: {version: v1}}]
            """#,
            [
                #"6:13 error IST0106 the subset has no name"#
            ]),
        Expectation(
            #"a negative limit"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                connectionPool:
                  tcp: {maxConnections: -1}
            """#,
            [
                #"8:29 error IST0106 the value -1 is negative"#
            ]),
        Expectation(
            #"the client protocol with upgrade"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                connectionPool:
                  http: {useClientProtocol: true, h2UpgradePolicy: UPGRADE}
            """#,
            [
                #"8:33 error IST0106 useClientProtocol excludes h2UpgradePolicy UPGRADE"#
            ]),
        Expectation(
            #"a cookie without name"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                loadBalancer:
                  consistentHash:
                    httpCookie: {ttl: 0s}
            """#,
            [
                #"9:9 error IST0106 the cookie has no name"#
            ]),
        Expectation(
            #"simple and consistent hash"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                loadBalancer:
                  simple: RANDOM
                  consistentHash: {useSourceIp: true}
            """#,
            [
                #"9:7 error IST0106 a load balancer has either simple or consistentHash, not both | keep one of them"#
            ]),
        Expectation(
            #"a Maglev table that is no prime"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                loadBalancer:
                  consistentHash:
                    useSourceIp: true
                    maglev: {tableSize: 65536}
            """#,
            [
                #"10:29 error IST0106 tableSize 65536 is not a prime | use 65537"#
            ]),
        Expectation(
            #"two ring settings"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                loadBalancer:
                  consistentHash:
                    useSourceIp: true
                    ringHash: {minimumRingSize: 10}
                    maglev: {tableSize: 65537}
            """#,
            [
                #"9:9 error IST0106 consistentHash has more than one of ringHash, maglev and minimumRingSize | keep one of them"#
            ]),
        Expectation(
            #"a warm-up without duration"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                loadBalancer:
                  simple: ROUND_ROBIN
                  warmup: {aggression: 1}
            """#,
            [
                #"9:7 error IST0106 the warmup has no duration"#
            ]),
        Expectation(
            #"locality weights that do not add up"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                loadBalancer:
                  localityLbSetting:
                    distribute:
                    - from: a/*
                      to: {"a/*": 50, "b/*": 40}
            """#,
            [
                #"11:11 error IST0106 the weights add up to 90, not to 100"#
            ]),
        Expectation(
            #"a failover to a zone"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                outlierDetection: {interval: 5s}
                loadBalancer:
                  localityLbSetting:
                    failover: [{from: a, to: b/c}]
            """#,
            [
                #"10:34 error IST0106 a failover names regions only | write the part before the /"#
            ]),
        Expectation(
            #"a failover without outlier detection"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                loadBalancer:
                  localityLbSetting:
                    failover: [{from: a, to: c}]
            """#,
            [
                #"8:7 warning IST0133 failover has no effect without outlierDetection | add outlierDetection to the same policy"#
            ]),
        Expectation(
            #"tunnel and PROXY protocol"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                tunnel: {targetHost: c, targetPort: 80}
                proxyProtocol: {version: V1}
            """#,
            [
                #"8:5 error IST0106 a policy cannot have both tunnel and proxyProtocol"#
            ]),
        Expectation(
            #"an unknown tunnel protocol"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                tunnel: {protocol: GET, targetHost: c, targetPort: 80}
            """#,
            [
                #"7:24 error IST0106 the tunnel protocol "GET" is not CONNECT or POST"#
            ]),
        Expectation(
            #"local origin failures without split"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                outlierDetection: {consecutiveLocalOriginFailures: 3}
            """#,
            [
                #"7:56 error IST0106 consecutiveLocalOriginFailures needs splitExternalLocalOriginErrors: true"#
            ]),
        Expectation(
            #"an ejection percentage over 100"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                outlierDetection: {maxEjectionPercent: 150}
            """#,
            [
                #"7:44 error IST0106 maxEjectionPercent 150 is not in 0 to 100"#
            ]),
        Expectation(
            #"a port level without port"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                portLevelSettings:
                - loadBalancer: {simple: RANDOM}
            """#,
            [
                #"8:7 error IST0106 the port level setting has no port"#
            ]),
        Expectation(
            #"a selector with a wider export"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              workloadSelector: {matchLabels: {app: x}}
              exportTo: ["*"]
              trafficPolicy: {loadBalancer: {simple: RANDOM}}
            """#,
            [
                #"7:3 error IST0106 a rule with a workloadSelector acts only in its own namespace | write exportTo: ["."], or remove the selector"#
            ]),
        Expectation(
            #"the mesh's mutual TLS"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                tls: {mode: ISTIO_MUTUAL}
            """#,
            []),
        Expectation(
            #"mutual TLS without key"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                tls: {mode: MUTUAL, clientCertificate: /c.pem}
            """#,
            [
                #"7:5 error IST0106 MUTUAL needs a privateKey"#
            ]),
        Expectation(
            #"the old name for least request"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                loadBalancer: {simple: LEAST_CONN}
            """#,
            [
                #"7:28 warning IST0002 LEAST_CONN is deprecated | use LEAST_REQUEST"#
            ]),
    ]

    @Test(arguments: destinationRule)
    func destinationRuleFindings(_ expectation: Expectation) {
        #expect(expectation.read() == expectation.findings)
    }

    static let gateway: [Expectation] = [
        Expectation(
            #"no servers"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: a}
            spec:
              selector: {istio: ingress}
            """#,
            [
                #"4:1 error IST0106 the Gateway has no servers"#
            ]),
        Expectation(
            #"a server without hosts"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: a}
            spec:
              servers:
              - port: {number: 80, name: http, protocol: HTTP}
            """#,
            [
                #"6:5 error IST0106 the server has no hosts"#
            ]),
        Expectation(
            #"a port without name"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: a}
            spec:
              servers:
              - port: {number: 80, protocol: HTTP}
                hosts: ["*"]
            """#,
            [
                #"6:5 error IST0106 the port has no name | give it one, such as http or https"#
            ]),
        Expectation(
            #"a port name twice"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: a}
            spec:
              servers:
              - port: {number: 80, name: http, protocol: HTTP}
                hosts: ["*"]
              - port: {number: 81, name: http, protocol: HTTP}
                hosts: ["*"]
            """#,
            [
                #"8:30 error IST0106 the port name "http" stands twice"#
            ]),
        Expectation(
            #"an unknown protocol"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: a}
            spec:
              servers:
              - port: {number: 80, name: http, protocol: HTPP}
                hosts: ["*"]
            """#,
            [
                #"6:46 error IST0106 the protocol "HTPP" is unknown | did you mean HTTP?"#
            ]),
        Expectation(
            #"HTTPS without tls"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: a}
            spec:
              servers:
              - port: {number: 443, name: https, protocol: HTTPS}
                hosts: [a.example]
            """#,
            [
                #"6:5 error IST0106 the port speaks HTTPS, but the server has no tls | add tls with a mode"#
            ]),
        Expectation(
            #"HTTP with a TLS mode"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: a}
            spec:
              servers:
              - port: {number: 80, name: http, protocol: HTTP}
                hosts: [a.example]
                tls: {mode: SIMPLE, credentialName: x}
            """#,
            [
                #"8:5 error IST0106 a server of protocol HTTP can have no tls setting other than httpsRedirect | use protocol HTTPS, or remove the settings"#
            ]),
        Expectation(
            #"TLS without certificate"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: a}
            spec:
              servers:
              - port: {number: 443, name: https, protocol: HTTPS}
                hosts: [a.example]
                tls: {mode: SIMPLE}
            """#,
            [
                #"8:5 error IST0106 SIMPLE needs a certificate | name a Secret in credentialName, or give serverCertificate and privateKey"#
            ]),
        Expectation(
            #"mutual TLS without client CA"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: a}
            spec:
              servers:
              - port: {number: 443, name: https, protocol: HTTPS}
                hosts: [a.example]
                tls: {mode: MUTUAL, serverCertificate: /c, privateKey: /k}
            """#,
            [
                #"8:5 error IST0106 MUTUAL needs caCertificates to check clients with"#
            ]),
        Expectation(
            #"two sources of certificates"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: a}
            spec:
              servers:
              - port: {number: 443, name: https, protocol: HTTPS}
                hosts: [a.example]
                tls: {mode: SIMPLE, credentialName: x, serverCertificate: /c, privateKey: /k}
            """#,
            [
                #"8:5 error IST0106 more than one source of certificates is given | keep one of credentialName, credentialNames, tlsCertificates and the files"#
            ]),
        Expectation(
            #"a target port"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: a}
            spec:
              servers:
              - port: {number: 80, name: http, protocol: HTTP, targetPort: 8080}
                hosts: ["*"]
            """#,
            [
                #"6:64 error IST0106 a gateway's port cannot have a targetPort | remove it"#
            ]),
        Expectation(
            #"old TLS and an unknown cipher"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: a}
            spec:
              servers:
              - port: {number: 443, name: https, protocol: TLS}
                hosts: [a.example]
                tls: {mode: PASSTHROUGH, minProtocolVersion: TLSV1_0, cipherSuites: [RC4-MD5]}
            """#,
            [
                #"8:50 warning IST0133 TLSV1_0 is not safe | use TLSV1_2 or TLSV1_3"#,
                #"8:74 warning IST0133 the cipher suite "RC4-MD5" is unknown and is ignored"#,
            ]),
        Expectation(
            #"a server that ends TLS"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: a}
            spec:
              servers:
              - port: {number: 443, name: https, protocol: HTTPS}
                hosts: [a.example]
                tls: {mode: SIMPLE, credentialName: x}
            """#,
            []),
    ]

    @Test(arguments: gateway)
    func gatewayFindings(_ expectation: Expectation) {
        #expect(expectation.read() == expectation.findings)
    }

    static let serviceEntry: [Expectation] = [
        Expectation(
            #"no hosts"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: a}
            spec:
              ports: [{number: 80, name: http, protocol: HTTP}]
            """#,
            [
                #"4:1 error IST0106 the ServiceEntry has no hosts"#
            ]),
        Expectation(
            #"the host *"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: a}
            spec:
              hosts: ["*"]
              ports: [{number: 80, name: http, protocol: HTTP}]
            """#,
            [
                #"5:11 error IST0106 the host of a ServiceEntry cannot be * | use *.example.com"#
            ]),
        Expectation(
            #"a range with DNS"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: a}
            spec:
              hosts: [a.example]
              addresses: [10.0.0.0/8]
              ports: [{number: 80, name: http, protocol: HTTP}]
              resolution: DNS
            """#,
            [
                #"6:15 error IST0106 the range 10.0.0.0/8 needs resolution NONE or STATIC | write single addresses"#
            ]),
        Expectation(
            #"a port number twice"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: a}
            spec:
              hosts: [a.example]
              ports: [{number: 80, name: http, protocol: HTTP}, {number: 80, name: http-b, protocol: HTTP}]
            """#,
            [
                #"6:62 error IST0106 the port 80 stands twice"#
            ]),
        Expectation(
            #"endpoints with resolution NONE"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: a}
            spec:
              hosts: [a.example]
              ports: [{number: 80, name: http, protocol: HTTP}]
              endpoints: [{address: 10.0.0.1}]
            """#,
            [
                #"7:3 error IST0106 resolution NONE cannot have endpoints | use STATIC or DNS"#
            ]),
        Expectation(
            #"endpoints with a selector"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: a}
            spec:
              hosts: [a.example]
              ports: [{number: 80, name: http, protocol: HTTP}]
              resolution: STATIC
              workloadSelector: {labels: {app: x}}
              endpoints: [{address: 10.0.0.1}]
            """#,
            [
                #"9:3 error IST0106 endpoints and workloadSelector exclude each other | keep one of them"#
            ]),
        Expectation(
            #"a name with resolution STATIC"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: a}
            spec:
              hosts: [a.example]
              ports: [{number: 80, name: http, protocol: HTTP}]
              resolution: STATIC
              endpoints: [{address: b.example}]
            """#,
            [
                #"8:25 error IST0106 "b.example" is not an IP address, which resolution STATIC needs | use resolution DNS for names"#
            ]),
        Expectation(
            #"an endpoint port that is not declared"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: a}
            spec:
              hosts: [a.example]
              ports: [{number: 80, name: http, protocol: HTTP}]
              resolution: STATIC
              endpoints: [{address: 10.0.0.1, ports: {htpp: 8080}}]
            """#,
            [
                #"8:49 error IST0106 the port name "htpp" is not one of the ServiceEntry's ports | did you mean http?"#
            ]),
        Expectation(
            #"a wildcard host with DNS"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: a}
            spec:
              hosts: ["*.example.com"]
              ports: [{number: 80, name: http, protocol: HTTP}]
              resolution: DNS
            """#,
            [
                #"5:11 error IST0106 the wildcard host "*.example.com" cannot be resolved by DNS | name endpoints, or use resolution NONE"#
            ]),
        Expectation(
            #"round robin with two endpoints"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: a}
            spec:
              hosts: [a.example]
              ports: [{number: 80, name: http, protocol: HTTP}]
              resolution: DNS_ROUND_ROBIN
              endpoints: [{address: b.example}, {address: c.example}]
            """#,
            [
                #"8:3 error IST0106 DNS_ROUND_ROBIN takes one endpoint at most | use resolution DNS"#
            ]),
        Expectation(
            #"several hosts on a TCP port"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: a}
            spec:
              hosts: [a.example, b.example]
              ports: [{number: 90, name: tcp, protocol: TCP}]
              resolution: DNS
            """#,
            [
                #"6:11 error IST0106 several hosts cannot be told apart on a port of protocol TCP | write one ServiceEntry for each host"#,
                #"6:11 warning IST0134 without addresses the TCP port 90 takes all traffic to that port | give the ServiceEntry addresses"#,
            ]),
        Expectation(
            #"a TCP port without addresses"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: a}
            spec:
              hosts: [a.example]
              ports: [{number: 90, name: tcp, protocol: TCP}]
              resolution: DNS
            """#,
            [
                #"6:11 warning IST0134 without addresses the TCP port 90 takes all traffic to that port | give the ServiceEntry addresses"#
            ]),
        Expectation(
            #"a field that does not exist"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: a}
            spec:
              hosts: [a.example]
              ports: [{number: 443, name: tls, protocol: TLS}]
              resolution: DNS
              dnsLookupFamily: V4_ONLY
            """#,
            [
                #"8:3 warning APUS0013 unknown field "dnsLookupFamily" is ignored"#
            ]),
        Expectation(
            #"dynamic DNS"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: a}
            spec:
              hosts: ["*.example.com"]
              ports: [{number: 443, name: tls, protocol: TLS}]
              resolution: DYNAMIC_DNS
            """#,
            []),
        Expectation(
            #"dynamic DNS for unknown hosts in one Sidecar"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Sidecar
            metadata: {name: a}
            spec:
              outboundTrafficPolicy: {mode: ALLOW_ANY_DYNAMIC_DNS, tls: {mode: SIMPLE}}
            """#,
            [
                #"5:33 error IST0106 ALLOW_ANY_DYNAMIC_DNS is a mode of the mesh config only | use ALLOW_ANY, or set it in the mesh config"#,
                #"5:56 error IST0106 tls for unknown hosts belongs into the mesh config"#,
            ]),
        Expectation(
            #"status codes and zones that cannot be"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                outlierDetection: {outlierDetectionHttpErrorCodes: [503, 99, 600]}
                loadBalancer:
                  zoneAwareLbSetting: {enabled: false, failover: [{from: r, to: r}], failoverPriority: [topology.kubernetes.io/zone]}
            """#,
            [
                #"7:62 error IST0106 the status code 99 is not in 100 to 599"#,
                #"7:66 error IST0106 the status code 600 is not in 100 to 599"#,
                #"9:55 error IST0106 the failover goes from "r" to itself"#,
                #"9:93 error IST0106 topology.kubernetes.io/zone cannot be a priority of zone-aware balancing | regions and zones are told apart without it"#,
            ]),
        Expectation(
            #"a workload without address"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: WorkloadEntry
            metadata: {name: a}
            spec:
              labels: {app: x}
            """#,
            [
                #"4:1 error IST0106 the workload has no address"#
            ]),
        Expectation(
            #"a workload group without template"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: WorkloadGroup
            metadata: {name: a}
            spec:
              metadata: {labels: {app: x}}
            """#,
            [
                #"4:1 error IST0106 the WorkloadGroup has no template"#
            ]),
        Expectation(
            #"a probe without command"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: WorkloadGroup
            metadata: {name: a}
            spec:
              template: {serviceAccount: x}
              probe: {exec: {command: []}, periodSeconds: -1}
            """#,
            [
                #"6:11 error IST0106 the exec probe has no command"#,
                #"6:47 error IST0106 the value -1 is negative"#,
            ]),
    ]

    @Test(arguments: serviceEntry)
    func serviceEntryFindings(_ expectation: Expectation) {
        #expect(expectation.read() == expectation.findings)
    }

    static let sidecar: [Expectation] = [
        Expectation(
            #"nothing set"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Sidecar
            metadata: {name: a}
            spec:
              workloadSelector: {labels: {app: x}}
            """#,
            [
                #"4:1 error IST0106 the Sidecar sets nothing | give it egress, ingress, outboundTrafficPolicy or inboundConnectionPool"#
            ]),
        Expectation(
            #"egress without hosts"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Sidecar
            metadata: {name: a}
            spec:
              egress: [{port: {number: 80, name: http, protocol: HTTP}}]
            """#,
            [
                #"5:12 error IST0106 the egress listener has no hosts | use "*/*" for all"#
            ]),
        Expectation(
            #"the catch-all not last"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Sidecar
            metadata: {name: a}
            spec:
              egress:
              - hosts: ["./*"]
              - port: {number: 80, name: http, protocol: HTTP}
                hosts: ["./*"]
            """#,
            [
                #"6:5 error IST0106 the egress listener without port must be the last"#
            ]),
        Expectation(
            #"a host without namespace"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Sidecar
            metadata: {name: a}
            spec:
              egress: [{hosts: [reviews]}]
            """#,
            [
                #"5:21 error IST0106 "reviews" is not a host of a Sidecar | write NAMESPACE/HOST, as ./* or */*"#
            ]),
        Expectation(
            #"ingress without port"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Sidecar
            metadata: {name: a}
            spec:
              workloadSelector: {labels: {app: x}}
              ingress: [{defaultEndpoint: "127.0.0.1:80"}]
            """#,
            [
                #"6:13 error IST0106 the ingress listener has no port"#
            ]),
        Expectation(
            #"an endpoint elsewhere"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Sidecar
            metadata: {name: a}
            spec:
              workloadSelector: {labels: {app: x}}
              ingress: [{port: {number: 80, name: http, protocol: HTTP}, defaultEndpoint: "10.0.0.1:80"}]
            """#,
            [
                #"6:79 error IST0106 "10.0.0.1:80" is not an endpoint of this workload | write 127.0.0.1:PORT, 0.0.0.0:PORT or unix://PATH"#
            ]),
        Expectation(
            #"an egress proxy without ALLOW_ANY"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Sidecar
            metadata: {name: a}
            spec:
              outboundTrafficPolicy: {egressProxy: {host: e, port: {number: 80}}}
            """#,
            [
                #"5:27 error IST0106 egressProxy needs mode ALLOW_ANY"#
            ]),
        Expectation(
            #"needless hosts"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Sidecar
            metadata: {name: a}
            spec:
              egress: [{hosts: ["*/*", "./*"]}]
            """#,
            [
                #"5:21 warning IST0133 */* makes the other hosts of this listener needless"#
            ]),
    ]

    @Test(arguments: sidecar)
    func sidecarFindings(_ expectation: Expectation) {
        #expect(expectation.read() == expectation.findings)
    }

    static let security: [Expectation] = [
        Expectation(
            #"port modes without selector"#,
            #"""
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: a}
            spec:
              portLevelMtls: {8080: {mode: STRICT}}
            """#,
            [
                #"5:3 error IST0106 portLevelMtls needs a selector | add selector.matchLabels for the workload whose ports these are"#
            ]),
        Expectation(
            #"a port that is none"#,
            #"""
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: a}
            spec:
              selector: {matchLabels: {app: x}}
              portLevelMtls: {http: {mode: STRICT}}
            """#,
            [
                #"6:19 error IST0106 portLevelMtls has the key "http", which is no port | use 1 to 65535"#
            ]),
        Expectation(
            #"a JWT rule without issuer"#,
            #"""
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: a}
            spec:
              jwtRules: [{audiences: [x]}]
            """#,
            [
                #"5:14 error IST0106 the JWT rule has no issuer"#
            ]),
        Expectation(
            #"an empty audience"#,
            #"""
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: a}
            spec:
              jwtRules: [{issuer: x, audiences: [""]}]
            """#,
            [
                #"5:38 error IST0106 the audience is empty"#
            ]),
        Expectation(
            #"keys that are no key set"#,
            #"""
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: a}
            spec:
              jwtRules: [{issuer: x, jwks: "abc"}]
            """#,
            [
                #"5:32 error IST0106 jwks is not a JSON Web Key Set | it begins with {"keys": ["#
            ]),
        Expectation(
            #"private key material"#,
            #"""
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: a}
            spec:
              jwtRules:
              - issuer: x
                jwks: '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}'
            """#,
            [
                #"2:7 warning APUS0900 RequestAuthentication is understood but not yet enforced: in gRPC programs tokens are NOT being checked by it"#,
                #"7:11 warning IST0133 jwks has private key material | publish the public keys only"#,
            ]),
        Expectation(
            #"a custom action without provider"#,
            #"""
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: a}
            spec:
              action: CUSTOM
              rules: [{}]
            """#,
            [
                #"2:7 error APUS0017 the AuthorizationPolicy is left out because of its errors: requests are NOT being restricted by it"#,
                #"4:1 error IST0106 action CUSTOM needs provider.name"#,
            ]),
        Expectation(
            #"a deny action without rules"#,
            #"""
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: a}
            spec:
              action: DENY
            """#,
            [
                #"2:7 error APUS0017 the AuthorizationPolicy is left out because of its errors: requests are NOT being restricted by it"#,
                #"4:1 error IST0106 action DENY without rules denies nothing | add a rule"#,
            ]),
        Expectation(
            #"an empty source"#,
            #"""
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: a}
            spec:
              rules: [{from: [{source: {}}]}]
            """#,
            [
                #"2:7 error APUS0017 the AuthorizationPolicy is left out because of its errors: requests are NOT being restricted by it"#,
                #"5:20 error IST0106 the source is empty | give it a field, or remove from"#,
            ]),
        Expectation(
            #"an empty from"#,
            #"""
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: a}
            spec:
              rules: [{from: []}]
            """#,
            [
                #"2:7 error APUS0017 the AuthorizationPolicy is left out because of its errors: requests are NOT being restricted by it"#,
                #"5:12 error IST0106 from is written but empty | remove it, or give it a source"#,
            ]),
        Expectation(
            #"an empty value in a list"#,
            #"""
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: a}
            spec:
              rules: [{when: [{key: "request.headers[x-token]", notValues: [""]}]}]
            """#,
            [
                #"2:7 error APUS0017 the AuthorizationPolicy is left out because of its errors: requests are NOT being restricted by it"#,
                #"5:65 error IST0106 notValues has an empty value | to require that the value is there, write values: ["*"]"#,
            ]),
        Expectation(
            #"an unknown condition key"#,
            #"""
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: a}
            spec:
              rules: [{when: [{key: source.adress, values: ["10.0.0.1"]}]}]
            """#,
            [
                #"2:7 error APUS0017 the AuthorizationPolicy is left out because of its errors: requests are NOT being restricted by it"#,
                #"5:25 error IST0106 the key "source.adress" is unknown"#,
            ]),
        Expectation(
            #"brackets that do not match"#,
            #"""
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: a}
            spec:
              rules: [{when: [{key: "request.headers[x", values: [a]}]}]
            """#,
            [
                #"2:7 error APUS0017 the AuthorizationPolicy is left out because of its errors: requests are NOT being restricted by it"#,
                #"5:25 error IST0106 the key "request.headers[x" has brackets that do not match"#,
            ]),
        Expectation(
            #"a condition without values"#,
            #"""
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: a}
            spec:
              rules: [{when: [{key: source.ip}]}]
            """#,
            [
                #"2:7 error APUS0017 the AuthorizationPolicy is left out because of its errors: requests are NOT being restricted by it"#,
                #"5:19 error IST0106 the condition has neither values nor notValues"#,
            ]),
        Expectation(
            #"a port that is none in an operation"#,
            #"""
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: a}
            spec:
              rules: [{to: [{operation: {ports: ["http"]}}]}]
            """#,
            [
                #"2:7 error APUS0017 the AuthorizationPolicy is left out because of its errors: requests are NOT being restricted by it"#,
                #"5:38 error IST0106 "http" is not a port | use 1 to 65535"#,
            ]),
        Expectation(
            #"an address range that is none"#,
            #"""
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: a}
            spec:
              rules: [{from: [{source: {ipBlocks: ["10.0.0.0/33"]}}]}]
            """#,
            [
                #"2:7 error APUS0017 the AuthorizationPolicy is left out because of its errors: requests are NOT being restricted by it"#,
                #"5:40 error IST0106 "10.0.0.0/33" is not an IP address or range | write 10.1.2.3 or 10.0.0.0/8"#,
            ]),
        Expectation(
            #"service accounts with namespaces"#,
            #"""
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: a}
            spec:
              rules: [{from: [{source: {serviceAccounts: [x], namespaces: [y]}}]}]
            """#,
            [
                #"2:7 error APUS0017 the AuthorizationPolicy is left out because of its errors: requests are NOT being restricted by it"#,
                #"5:29 error IST0106 serviceAccounts and namespaces exclude each other"#,
            ]),
        Expectation(
            #"a path template in the middle of a word"#,
            #"""
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: a}
            spec:
              rules: [{to: [{operation: {paths: ["/a{*}"]}}]}]
            """#,
            [
                #"2:7 error APUS0017 the AuthorizationPolicy is left out because of its errors: requests are NOT being restricted by it"#,
                #"5:38 error IST0106 the path "/a{*}" has braces that are not {*} or {**} | {*} stands for one whole segment, {**} for the rest"#,
            ]),
        Expectation(
            #"a deny rule that also meets plaintext callers"#,
            #"""
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: a}
            spec:
              action: DENY
              rules: [{from: [{source: {notNamespaces: [x]}}]}]
            """#,
            [
                #"2:7 warning APUS0900 AuthorizationPolicy is understood but not yet enforced: in gRPC programs requests are NOT being restricted by it; CUSTOM denies"#,
                #"6:29 warning APUS0017 DENY with notNamespaces also denies every plaintext caller, which has no identity at all | keep it if that is meant; the workload must then accept mutual TLS only"#,
            ]),
        Expectation(
            #"a deny rule that denies all TCP"#,
            #"""
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: a}
            spec:
              action: DENY
              rules: [{to: [{operation: {methods: [DELETE]}}]}]
            """#,
            [
                #"2:7 warning APUS0900 AuthorizationPolicy is understood but not yet enforced: in gRPC programs requests are NOT being restricted by it; CUSTOM denies"#,
                #"6:12 warning APUS0017 on TCP ports the request fields of this DENY rule are dropped, so it denies every connection | add ports to the operation"#,
            ]),
    ]

    @Test(arguments: security)
    func securityFindings(_ expectation: Expectation) {
        #expect(expectation.read() == expectation.findings)
    }

    static let extensions: [Expectation] = [
        Expectation(
            #"a patch without operation"#,
            #"""
            apiVersion: networking.istio.io/v1alpha3
            kind: EnvoyFilter
            metadata: {name: a}
            spec:
              configPatches: [{applyTo: CLUSTER, patch: {value: {}}}]
            """#,
            [
                #"5:38 error IST0106 the patch has no operation"#
            ]),
        Expectation(
            #"a patch without value"#,
            #"""
            apiVersion: networking.istio.io/v1alpha3
            kind: EnvoyFilter
            metadata: {name: a}
            spec:
              priority: 1
              configPatches: [{applyTo: CLUSTER, patch: {operation: MERGE}}]
            """#,
            [
                #"6:38 error IST0106 the operation MERGE needs a value"#
            ]),
        Expectation(
            #"a route match for a cluster"#,
            #"""
            apiVersion: networking.istio.io/v1alpha3
            kind: EnvoyFilter
            metadata: {name: a}
            spec:
              priority: 1
              configPatches:
              - applyTo: CLUSTER
                match: {routeConfiguration: {name: x}}
                patch: {operation: MERGE, value: {}}
            """#,
            [
                #"8:13 error IST0106 CLUSTER cannot be matched by a route"#
            ]),
        Expectation(
            #"a replaced cluster"#,
            #"""
            apiVersion: networking.istio.io/v1alpha3
            kind: EnvoyFilter
            metadata: {name: a}
            spec:
              priority: 1
              configPatches: [{applyTo: CLUSTER, patch: {operation: REPLACE, value: {}}}]
            """#,
            [
                #"6:57 error IST0152 REPLACE works only on filters, not on CLUSTER | use MERGE"#
            ]),
        Expectation(
            #"a merge into every network filter"#,
            #"""
            apiVersion: networking.istio.io/v1alpha3
            kind: EnvoyFilter
            metadata: {name: a}
            spec:
              priority: 1
              configPatches:
              - applyTo: NETWORK_FILTER
                match: {context: GATEWAY}
                patch: {operation: MERGE, value: {}}
            """#,
            [
                #"2:7 warning APUS0900 EnvoyFilter is understood but not yet enforced: its patches are not applied"#,
                #"8:5 warning IST0133 MERGE of NETWORK_FILTER names no filter and so meets all | set match.listener.filterChain.filter.name, such as envoy.filters.network.http_connection_manager"#,
            ]),
        Expectation(
            #"a sampling percentage over 100"#,
            #"""
            apiVersion: telemetry.istio.io/v1
            kind: Telemetry
            metadata: {name: a}
            spec:
              tracing: [{randomSamplingPercentage: 101}]
            """#,
            [
                #"5:40 error IST0106 101 is not a percentage | use 0 to 100"#
            ]),
        Expectation(
            #"an upsert without value"#,
            #"""
            apiVersion: telemetry.istio.io/v1
            kind: Telemetry
            metadata: {name: a}
            spec:
              metrics: [{overrides: [{tagOverrides: {x: {operation: UPSERT}}}]}]
            """#,
            [
                #"5:42 error IST0106 UPSERT needs a value | use operation REMOVE to drop the tag"#
            ]),
        Expectation(
            #"negative concurrency"#,
            #"""
            apiVersion: networking.istio.io/v1beta1
            kind: ProxyConfig
            metadata: {name: a}
            spec:
              concurrency: -1
            """#,
            [
                #"5:16 error IST0106 concurrency is negative | use 0 for one worker per core"#
            ]),
    ]

    @Test(arguments: extensions)
    func extensionsFindings(_ expectation: Expectation) {
        #expect(expectation.read() == expectation.findings)
    }

    static let kubernetes: [Expectation] = [
        Expectation(
            #"a Service port out of range"#,
            #"""
            apiVersion: v1
            kind: Service
            metadata: {name: a}
            spec:
              ports:
              - {name: http, port: 70000}
            """#,
            [
                #"6:24 error IST0106 the port 70000 is not in 1 to 65535"#
            ]),
        Expectation(
            #"a Service port without protocol in its name"#,
            #"""
            apiVersion: v1
            kind: Service
            metadata: {name: a}
            spec:
              ports:
              - {name: web, port: 80}
            """#,
            [
                #"6:12 info IST0118 the port name "web" does not tell the protocol, so it is detected from the traffic | begin the name with the protocol, as http-web, or set appProtocol"#
            ]),
        Expectation(
            #"two Service ports without names"#,
            #"""
            apiVersion: v1
            kind: Service
            metadata: {name: a}
            spec:
              ports:
              - {port: 80, appProtocol: http}
              - {port: 81, appProtocol: http}
            """#,
            [
                #"6:5 error IST0106 a port of a Service with several ports needs a name"#,
                #"7:5 error IST0106 a port of a Service with several ports needs a name"#,
            ]),
        Expectation(
            #"a cluster address that is none"#,
            #"""
            apiVersion: v1
            kind: Service
            metadata: {name: a}
            spec: {clusterIP: auto}
            """#,
            [
                #"4:19 error IST0106 "auto" is not an IP address"#
            ]),
        Expectation(
            #"an endpoint of the wrong family"#,
            #"""
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: a, labels: {kubernetes.io/service-name: b}}
            addressType: IPv4
            endpoints:
            - addresses: ["::1"]
            """#,
            [
                #"6:15 error IST0106 "::1" is not an IPv4 address"#
            ]),
        Expectation(
            #"an EndpointSlice without service"#,
            #"""
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: a}
            addressType: IPv4
            endpoints: []
            """#,
            [
                #"3:1 warning IST0133 the EndpointSlice has no label kubernetes.io/service-name and belongs to no Service"#
            ]),
        Expectation(
            #"a Secret that is not base 64"#,
            #"""
            apiVersion: v1
            kind: Secret
            metadata: {name: a}
            data: {tls.key: "-----BEGIN"}
            """#,
            [
                #"4:17 error IST0106 tls.key is not base 64 text | use stringData for plain text"#
            ]),
        Expectation(
            #"a scrape port of the proxy"#,
            #"""
            apiVersion: v1
            kind: Pod
            metadata:
              name: a
              annotations:
                prometheus.io/scrape: "true"
                prometheus.io/port: "15090"
            """#,
            [
                #"7:25 warning IST0125 the port 15090 is the proxy's own, so the sidecar is not injected into this Pod | remove the annotations (metrics are then served on 15020), or add prometheus.istio.io/merge-metrics: "false""#
            ]),
        Expectation(
            #"a range that leaves the mesh"#,
            #"""
            apiVersion: v1
            kind: Pod
            metadata:
              name: a
              annotations:
                traffic.sidecar.istio.io/excludeOutboundIPRanges: 10.0.0.0/8
            """#,
            [
                #"6:55 warning APUS0018 10.0.0.0/8 contains most addresses of usual clusters: traffic there leaves the mesh, without routing, policies and mutual TLS | exclude only the ranges outside the mesh"#,
                #"6:55 warning APUS0900 the annotation traffic.sidecar.istio.io/excludeOutboundIPRanges is understood but not yet enforced: it has no effect here"#,
            ]),
        Expectation(
            #"a captured port that is none"#,
            #"""
            apiVersion: v1
            kind: Pod
            metadata:
              name: a
              annotations:
                traffic.sidecar.istio.io/includeInboundPorts: 8080,http
            """#,
            [
                #"6:51 error IST0125 traffic.sidecar.istio.io/includeInboundPorts has "http", which is no port | write ports divided by commas"#
            ]),
    ]

    @Test(arguments: kubernetes)
    func kubernetesFindings(_ expectation: Expectation) {
        #expect(expectation.read() == expectation.findings)
    }
}
