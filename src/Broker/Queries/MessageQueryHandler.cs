using System.Buffers;
using GrayMQ.Broker.Pulling;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;
using GrayMQ.Store.Indexes;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Queries;

/// <summary>Finds single messages: VIEW_MESSAGE_BY_ID (33) and QUERY_MESSAGE (12).</summary>
internal sealed class MessageQueryHandler(MessageStore store, int uniqueKeyMatches)
{
    // A query reads this many bytes of messages at most, whatever it asks for.
    private const int MaxAnswerBytes = 8 * 1024 * 1024;
    private const int MaxMessages = 1024;

    public ValueTask ViewAsync(RemotingRequest request, ViewMessageHeader header)
    {
        using var slices = new MessageSlices();
        if (!store.TryReadMessage(header.Offset, slices))
        {
            throw new RemotingException(ResponseCode.SystemError, $"can not find message by the offset, {header.Offset}");
        }

        request.Responder.Reply(ResponseCode.Success, null, default(NoHeader), new SlicesBody(slices));
        return ValueTask.CompletedTask;
    }

    public ValueTask QueryAsync(RemotingRequest request, QueryMessageHeader header)
    {
        // A unique key is asked for with any number; RocketMQ looks at a fixed one.
        int wanted = header.IsUniqueKey ? uniqueKeyMatches : Math.Clamp(header.MaxMessages, 0, MaxMessages);
        KeyQueryResult found = store.QueryByKey(
            header.Topic, header.Key, wanted, header.BeginTimestampMs, header.EndTimestampMs);
        var body = new ArrayBufferWriter<byte>();
        using var slices = new MessageSlices();
        foreach (long offset in found.PhysicalOffsets)
        {
            if (body.WrittenCount < MaxAnswerBytes && store.TryReadMessage(offset, slices))
            {
                slices.CopyTo(body);
            }
        }

        var position = new QueryMessageResponseHeader(found.LastUpdateTimestampMs, found.LastUpdatePhysicalOffset);
        if (body.WrittenCount == 0)
        {
            request.Responder.Reply(
                ResponseCode.QueryNotFound, "can not find message, maybe time range not correct", in position);
        }
        else
        {
            request.Responder.Reply(ResponseCode.Success, null, in position, new MemoryBody(body.WrittenMemory));
        }

        return ValueTask.CompletedTask;
    }
}
