using System.Net;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Grpc;

/// <summary>Every line that this project logs.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Listening on {EndPoint} for gRPC")]
    public static partial void Listening(ILogger logger, IPEndPoint endPoint);

    [LoggerMessage(2, LogLevel.Error, "{Path} of {Peer} failed")]
    public static partial void CallFailed(ILogger logger, Exception error, string path, IPEndPoint? peer);
}
