internal import ApusAPI
internal import ApusModel
internal import SwiftProtobuf

/// Which responses outlier detection counts as errors, if a rule names status codes (semantics 4.2).
enum OutlierErrors {
    typealias Predicate = Envoy_Config_Common_Matcher_V3_MatchPredicate

    /// nil: 5xx, as Envoy has it. Codes that are named replace these, they are not added to them.
    static func matcher(_ settings: OutlierDetectionSettings?) -> Predicate? {
        let codes = Set(settings?.httpErrorCodes ?? []).sorted()
        guard let first = codes.first else { return nil }
        // A set has two members at least.
        if codes.count == 1 { return status(first) }
        return .with { $0.orMatch = .with { $0.rules = codes.map(status) } }
    }

    private static func status(_ code: UInt32) -> Predicate {
        .with {
            $0.httpResponseHeadersMatch = .with {
                $0.headers = [
                    .with {
                        $0.name = ":status"
                        $0.stringMatch = .with { $0.exact = String(code) }
                    }
                ]
            }
        }
    }
}
