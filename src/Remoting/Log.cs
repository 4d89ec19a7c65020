using System.Net;
using GrayMQ.Protocol.Commands;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Remoting;

/// <summary>Every line that this project logs.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "Closing the connection of {Peer}: {Reason}")]
    public static partial void ConnectionAborted(ILogger logger, IPEndPoint? peer, string reason);

    [LoggerMessage(2, LogLevel.Warning, "Closing the connection of {Peer}, which does not speak the protocol: {Reason}")]
    public static partial void ProtocolViolated(ILogger logger, IPEndPoint? peer, string reason);

    [LoggerMessage(3, LogLevel.Debug, "The connection of {Peer} ended: {Reason}")]
    public static partial void ConnectionBroken(ILogger logger, IPEndPoint? peer, string reason);

    [LoggerMessage(4, LogLevel.Information, "{Peer} closed its connection within a frame, {Bytes} bytes of it had come")]
    public static partial void ConnectionEndedInFrame(ILogger logger, IPEndPoint? peer, long bytes);

    [LoggerMessage(5, LogLevel.Error, "Reading from {Peer} failed")]
    public static partial void ReadLoopFailed(ILogger logger, Exception error, IPEndPoint? peer);

    [LoggerMessage(6, LogLevel.Warning, "{Code} of {Peer} is malformed: {Reason} (further ones of this connection are not logged)")]
    public static partial void RequestMalformed(ILogger logger, RequestCode code, IPEndPoint? peer, string reason);

    [LoggerMessage(7, LogLevel.Error, "{Code} of {Peer} failed")]
    public static partial void RequestFailed(ILogger logger, Exception error, RequestCode code, IPEndPoint? peer);

    [LoggerMessage(8, LogLevel.Information, "Listening on {EndPoint}")]
    public static partial void Listening(ILogger logger, EndPoint endPoint);

    [LoggerMessage(9, LogLevel.Warning, "Refusing a connection of {Peer}: {Limit} connections are open, which is the limit ({Unlogged} more were refused since the last such line)")]
    public static partial void TooManyConnections(ILogger logger, EndPoint? peer, int limit, long unlogged);

    [LoggerMessage(10, LogLevel.Information, "Closing the connection of {Peer}, idle for {IdleSeconds} s")]
    public static partial void ConnectionIdle(ILogger logger, IPEndPoint? peer, long idleSeconds);

    [LoggerMessage(11, LogLevel.Error, "Accepting connections on {EndPoint} failed")]
    public static partial void AcceptFailed(ILogger logger, Exception error, EndPoint endPoint);

    [LoggerMessage(12, LogLevel.Warning, "Closing the connection of {Peer}: {Reason}")]
    public static partial void TlsRefused(ILogger logger, EndPoint? peer, string reason);

    [LoggerMessage(13, LogLevel.Debug, "{Peer} connected")]
    public static partial void Connected(ILogger logger, EndPoint? peer);

    [LoggerMessage(14, LogLevel.Warning, "No TLS certificate is configured: using a self-signed one made for this run")]
    public static partial void SelfSignedCertificate(ILogger logger);

    [LoggerMessage(15, LogLevel.Error, "A listener of connection events failed")]
    public static partial void ConnectionEventFailed(ILogger logger, Exception error);

    [LoggerMessage(16, LogLevel.Error, "Writing to {Peer} failed")]
    public static partial void WriteFailed(ILogger logger, Exception error, IPEndPoint? peer);

    [LoggerMessage(17, LogLevel.Error, "{Code} of {Peer} was answered twice; the second answer was dropped")]
    public static partial void AnsweredTwice(ILogger logger, RequestCode code, IPEndPoint? peer);

    [LoggerMessage(18, LogLevel.Information, "Closing the connection of {Peer}: a frame has been coming for {AgeSeconds} s")]
    public static partial void FrameStalled(ILogger logger, IPEndPoint? peer, long ageSeconds);

    [LoggerMessage(19, LogLevel.Error, "Looking for idle connections failed")]
    public static partial void IdleScanFailed(ILogger logger, Exception error);

    [LoggerMessage(20, LogLevel.Warning, "Closing the connection of {Peer}: its first byte did not come within {Seconds} s")]
    public static partial void SilentPeer(ILogger logger, EndPoint? peer, long seconds);

    [LoggerMessage(21, LogLevel.Error, "Serving {Peer} failed")]
    public static partial void ServingFailed(ILogger logger, Exception error, EndPoint? peer);

    [LoggerMessage(22, LogLevel.Error, "{Count} connections were cut off but did not end: their handlers hang")]
    public static partial void ConnectionsHang(ILogger logger, int count);

    [LoggerMessage(23, LogLevel.Warning, "TLS is enforced but no certificate is configured: a self-signed one is used, made for this run, which clients cannot verify")]
    public static partial void EnforcingSelfSigned(ILogger logger);

    [LoggerMessage(24, LogLevel.Warning, "Refusing the connection of {Peer}: {Reason} ({Unlogged} more were refused since the last such line)")]
    public static partial void ProxyRefused(ILogger logger, EndPoint? peer, string reason, long unlogged);

    [LoggerMessage(25, LogLevel.Debug, "{Client} connected, by the proxy {Proxy}")]
    public static partial void ConnectedByProxy(ILogger logger, EndPoint? client, EndPoint? proxy);

    [LoggerMessage(26, LogLevel.Warning, "Closing the socket on {EndPoint}, which was handed over: nothing here listens on that port")]
    public static partial void SocketUnused(ILogger logger, EndPoint? endPoint);
}
