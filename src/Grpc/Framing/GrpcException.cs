namespace GrayMQ.Grpc.Framing;

/// <summary>Ends a call with a status other than OK.</summary>
/// <param name="code">Not <see cref="GrpcStatusCode.Ok"/>.</param>
/// <param name="message">For people.</param>
/// <param name="reason">For programs: UPPER_SNAKE_CASE, told as the error's details (google.rpc.ErrorInfo); null for none.</param>
public sealed class GrpcException(GrpcStatusCode code, string message, string? reason = null) : Exception(message)
{
    public GrpcStatusCode Code { get; } = code;

    public string? Reason { get; } = reason;
}
