/// What came of looking at a JSON Web Token, with Envoy's words for it: they are the body of its answers.
public enum TokenStatus: Error, Hashable, Sendable, CaseIterable {
    case missing
    case notYetValid
    case expired
    case badFormat
    case headerBadBase64
    case headerBadJSON
    case headerBadAlgorithm
    case headerUnknownAlgorithm
    case headerBadKeyID
    case payloadBadBase64
    case payloadBadJSON
    case issuerNotString
    case subjectNotString
    case issuedNotNumber
    case issuedOutOfRange
    case notBeforeNotNumber
    case notBeforeOutOfRange
    case expiryNotNumber
    case expiryOutOfRange
    case identifierNotString
    case audienceNotString
    case signatureBadBase64
    case edwardsSignatureLength
    case unknownIssuer
    case audienceNotAllowed
    case verificationFailed
    case noValidKeys
    case noMatchingKey

    public var text: String {
        switch self {
        case .missing: "Jwt is missing"
        case .notYetValid: "Jwt not yet valid"
        case .expired: "Jwt is expired"
        case .badFormat: "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections"
        case .headerBadBase64: "Jwt header is an invalid Base64url encoded"
        case .headerBadJSON: "Jwt header is an invalid JSON"
        case .headerBadAlgorithm: "Jwt header [alg] field is required and must be a string"
        case .headerUnknownAlgorithm: "Jwt header [alg] is not supported"
        case .headerBadKeyID: "Jwt header [kid] field is not a string"
        case .payloadBadBase64: "Jwt payload is an invalid Base64url encoded"
        case .payloadBadJSON: "Jwt payload is an invalid JSON"
        case .issuerNotString: "Jwt payload [iss] field is not a string"
        case .subjectNotString: "Jwt payload [sub] field is not a string"
        case .issuedNotNumber: "Jwt payload [iat] field is not an integer"
        case .issuedOutOfRange: "Jwt payload [iat] field is not a positive 64 bit integer"
        case .notBeforeNotNumber: "Jwt payload [nbf] field is not an integer"
        case .notBeforeOutOfRange: "Jwt payload [nbf] field is not a positive 64 bit integer"
        case .expiryNotNumber: "Jwt payload [exp] field is not an integer"
        case .expiryOutOfRange: "Jwt payload [exp] field is not a positive 64 bit integer"
        case .identifierNotString: "Jwt payload [jti] field is not a string"
        case .audienceNotString: "Jwt payload [aud] field is not a string or string list"
        case .signatureBadBase64: "Jwt signature is an invalid Base64url encoded"
        case .edwardsSignatureLength: "Jwt ED25519 signature is wrong length"
        case .unknownIssuer: "Jwt issuer is not configured"
        case .audienceNotAllowed: "Audiences in Jwt are not allowed"
        case .verificationFailed: "Jwt verification fails"
        case .noValidKeys: "Jwks doesn't have any valid public key"
        case .noMatchingKey: "Jwks doesn't have key to match kid or alg from Jwt"
        }
    }
}
