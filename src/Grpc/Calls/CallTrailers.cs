using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using GrayMQ.Grpc.Framing;
using GrayMQ.Grpc.Rpc;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace GrayMQ.Grpc.Calls;

/// <summary>Says how a call ended.</summary>
internal static class CallTrailers
{
    private const string Domain = "graymq";
    private static readonly StringValues Ok = "0";

    public static void WriteOk(IFeatureCollection features) => Trailers(features)["grpc-status"] = Ok;

    /// <param name="hasWritten">Whether messages were written: without any the status stands in the only headers there are.</param>
    public static void Write(IFeatureCollection features, bool hasWritten, GrpcStatusCode code, string message, string? reason)
    {
        IHttpResponseFeature response = features.Get<IHttpResponseFeature>()!;
        IHeaderDictionary trailers = hasWritten || response.HasStarted ? Trailers(features) : response.Headers;
        trailers["grpc-status"] = ((int)code).ToString(System.Globalization.CultureInfo.InvariantCulture);
        trailers["grpc-message"] = StatusMessage.Encode(message);
        if (reason is not null)
        {
            trailers["grpc-status-details-bin"] = Details(code, message, reason);
        }

        if (code == GrpcStatusCode.Unimplemented)
        {
            trailers["grpc-accept-encoding"] = "identity,gzip";
        }
    }

    private static IHeaderDictionary Trailers(IFeatureCollection features) =>
        features.Get<IHttpResponseTrailersFeature>()!.Trailers;

    private static string Details(GrpcStatusCode code, string message, string reason)
    {
        var status = new Status { Code = (int)code, Message = message };
        status.Details.Add(new Any
        {
            TypeUrl = "type.googleapis.com/google.rpc.ErrorInfo",
            Value = new ErrorInfo { Reason = reason, Domain = Domain }.ToByteString(),
        });
        return Convert.ToBase64String(status.ToByteArray()).TrimEnd('=');
    }
}
