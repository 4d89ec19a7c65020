using System.Collections.Frozen;
using GrayMQ.Broker.Sending;
using GrayMQ.Protocol.Commands;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Calls;

/// <summary>What handlers answer, in the words of the messaging protocol (RocketMQ: ResponseBuilder).</summary>
internal static class Statuses
{
    private static readonly FrozenDictionary<ResponseCode, V2.Code> Codes = new Dictionary<ResponseCode, V2.Code>
    {
        [ResponseCode.Success] = V2.Code.Ok,
        [ResponseCode.SystemBusy] = V2.Code.TooManyRequests,
        [ResponseCode.PollingFull] = V2.Code.TooManyRequests,
        [ResponseCode.RequestCodeNotSupported] = V2.Code.NotImplemented,
        [ResponseCode.SubscriptionGroupNotExist] = V2.Code.ConsumerGroupNotFound,
        [ResponseCode.TopicNotExist] = V2.Code.TopicNotFound,
        [ResponseCode.NoPermission] = V2.Code.Forbidden,
        [ResponseCode.FlushDiskTimeout] = V2.Code.MasterPersistenceTimeout,
        [ResponseCode.MessageIllegal] = V2.Code.MessageCorrupted,
        [ResponseCode.InvalidParameter] = V2.Code.BadRequest,
        [ResponseCode.SubscriptionParseFailed] = V2.Code.IllegalFilterExpression,
        [ResponseCode.QueryNotFound] = V2.Code.OffsetNotFound,
    }.ToFrozenDictionary();

    /// <summary>One for all, since most answers are this one: not to be changed.</summary>
    public static V2.Status Ok { get; } = new() { Code = V2.Code.Ok, Message = "OK" };

    public static V2.Status Of(V2.Code code, string message) => new() { Code = code, Message = message };

    public static V2.Status Of(RemotingCommand answer) => Of(answer.ResponseCode, answer.Remark);

    public static V2.Status Of(ResponseCode code, string? remark)
    {
        if (code == ResponseCode.Success)
        {
            return Ok;
        }

        V2.Code mapped = code == ResponseCode.MessageIllegal && MessageTypeCheck.IsRemark(remark)
            ? V2.Code.MessagePropertyConflictWithType
            : Codes.GetValueOrDefault(code, V2.Code.InternalServerError);
        return Of(mapped, remark ?? code.ToString());
    }

    /// <summary>The status that says how all of several ended.</summary>
    public static V2.Status OfAll(IEnumerable<V2.Status> statuses)
    {
        V2.Status? first = null;
        foreach (V2.Status status in statuses)
        {
            first ??= status;
            if (status.Code != first.Code)
            {
                return Of(V2.Code.MultipleResults, "MULTIPLE_RESULTS");
            }
        }

        return first is null ? Of(V2.Code.InternalServerError, "there is no result")
            : first.Code == V2.Code.Ok ? Ok
            : Of(first.Code, first.Message);
    }

    /// <summary>The answer when it is SUCCESS.</summary>
    /// <exception cref="MessagingException">It is not.</exception>
    public static RemotingCommand OrThrow(this RemotingCommand answer)
    {
        if (answer.ResponseCode == ResponseCode.Success)
        {
            return answer;
        }

        V2.Status status = Of(answer);
        throw new MessagingException(status.Code, status.Message);
    }
}
