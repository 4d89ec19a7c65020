using System.Diagnostics.CodeAnalysis;
using GrayMQ.Client.Errors;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Connections;

namespace GrayMQ.Cli.Tools;

/// <summary>Turns what went wrong into a message and an exit code.</summary>
internal static class ToolFailure
{
    /// <returns>False for what should not happen: that deserves its stack trace.</returns>
    public static bool TryExplain(
        Exception failure, NameServerChoice? nameServers, out int exitCode, [NotNullWhen(true)] out string? message)
    {
        Exception e = failure is SendFailedException { InnerException: { } cause } ? cause : failure;
        (exitCode, message) = e switch
        {
            CommandFailure known => (known.ExitCode, known.Message),
            NameServersUnavailableException { InnerException: BrokerException refusal } => (
                ExitCode.Unreachable,
                $"no name server of {nameServers?.Addresses} ({nameServers?.Origin}) gives out routes now: {refusal.Remark}"),
            NameServersUnavailableException => (
                ExitCode.Unreachable,
                $"no name server answers at {nameServers?.Addresses} ({nameServers?.Origin}){Reason(e.InnerException)}"),
            ConnectionClosedException or TimeoutException => (ExitCode.Unreachable, e.Message),
            BrokerException { Code: ResponseCode.GrayRefused or ResponseCode.GrayConflict or ResponseCode.GrayUnavailable, Remark: { } remark } =>
                (ExitCode.Failure, remark),
            BrokerException refused => (CodeOf(refused.Code), refused.Message),
            RouteNotFoundException => (ExitCode.NotFound, e.Message),
            GrayMQException => (ExitCode.Failure, e.Message),
            BodyFormatException or HeaderFieldException or InvalidDataException =>
                (ExitCode.Failure, $"the answer cannot be understood: {e.Message}"),
            ArgumentException or FormatException => (ExitCode.Usage, e.Message),
            IOException => (ExitCode.Failure, e.Message),
            _ => (ExitCode.Failure, null),
        };
        return message is not null;
    }

    private static int CodeOf(ResponseCode code) => code switch
    {
        ResponseCode.TopicNotExist
            or ResponseCode.SubscriptionGroupNotExist
            or ResponseCode.QueryNotFound
            or ResponseCode.ConsumerNotOnline
            or ResponseCode.BrokerNotExist => ExitCode.NotFound,
        _ => ExitCode.Failure,
    };

    private static string Reason(Exception? cause) => cause is null ? "" : $": {cause.Message}";
}
