using GrayMQ.Broker.Grpc.Calls;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Clients;

/// <summary>What clients report when they were asked, as remoting clients would have answered (RocketMQ: ClientActivity).</summary>
internal static class ClientReports
{
    private const string FromClient = "from gRPC client";

    public static RemotingCommand StackTrace(V2.TelemetryCommand report) =>
        report.Status is null or { Code: V2.Code.Ok }
            ? InnerAnswer.Make(
                ResponseCode.Success,
                null,
                default(NoHeader),
                new MemoryBody(BodyCodec.Encode(new ConsumerRunningInfo { Jstack = report.ThreadStackTrace.ThreadStackTrace_ })))
            : Refused($"the client did not print its threads: {report.Status.Code} {report.Status.Message}");

    public static RemotingCommand Verified(V2.TelemetryCommand report) => report.Status?.Code switch
    {
        null or V2.Code.Ok => Consumed(ConsumeOutcome.Success),
        V2.Code.FailedToConsumeMessage => Consumed(ConsumeOutcome.Later),
        V2.Code.MessageCorrupted => Consumed(ConsumeOutcome.ReturnNull),
        V2.Code.VerifyFifoMessageUnsupported => InnerAnswer.Make(
            ResponseCode.NoPermission, "forbidden to verify message", default(NoHeader), default(MemoryBody)),
        { } code => Refused($"the client did not verify the message: {code} {report.Status.Message}"),
    };

    private static RemotingCommand Consumed(ConsumeOutcome outcome) => InnerAnswer.Make(
        ResponseCode.Success,
        null,
        default(NoHeader),
        new MemoryBody(BodyCodec.Encode(new ConsumeMessageDirectlyResult { ConsumeResult = outcome, Remark = FromClient })));

    private static RemotingCommand Refused(string remark) =>
        InnerAnswer.Make(ResponseCode.SystemError, remark, default(NoHeader), default(MemoryBody));
}
