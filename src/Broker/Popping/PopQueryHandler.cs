using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Popping;

/// <summary>
/// What can be asked without taking anything: POLLING_INFO (200055), how many pops wait, and PEEK_MESSAGE (200052), what a pop
/// would get. RocketMQ: PollingInfoProcessor, PeekMessageProcessor.
/// </summary>
internal sealed class PopQueryHandler(PopAccess access, PoppableQueues queues, PopOffsets offsets, MessageStore store, TimeProvider time)
{
    private const int MaxPeek = 32;

    public ValueTask PollingInfoAsync(RemotingRequest request, PollingInfoHeader header)
    {
        PopTarget target = access.Find(header.ConsumerGroup, header.Topic, header.QueueId, request.Connection.RemoteEndPoint, "peeking message");
        request.Responder.Reply(new PollingInfoResponseHeader(target.Waiters.CountOf(header.QueueId, notifications: false)));
        return ValueTask.CompletedTask;
    }

    public ValueTask PeekAsync(RemotingRequest request, PeekMessageHeader header)
    {
        PopTarget target = access.Find(header.ConsumerGroup, header.Topic, header.QueueId, request.Connection.RemoteEndPoint, "peeking message");
        PopWork work = PopWork.OfThread;
        try
        {
            work.Begin(time.GetUtcNow().ToUnixTimeMilliseconds());
            int most = Math.Clamp(header.MaxMessages, 1, MaxPeek);
            int start = Random.Shared.Next(100);
            if (header.QueueId >= 0)
            {
                Peek(target, target.Topic, header.QueueId, most, work);
            }
            else
            {
                Peek(target, target.Topic, start, work, most);
            }

            (Topic? first, Topic? second) = queues.RetryTopics(target);
            foreach (Topic? retry in (ReadOnlySpan<Topic?>)[second, first])
            {
                if (retry is not null)
                {
                    Peek(target, retry, start, work, most);
                }
            }

            var answer = new PopMessageResponseHeader { PopTimeMs = work.PopTimeMs, RestCount = work.Rest };
            if (work.Count > 0)
            {
                request.Responder.Reply(ResponseCode.Success, "FOUND", in answer, in work);
            }
            else
            {
                request.Responder.Reply(ResponseCode.PullNotFound, "NO_MESSAGE_IN_QUEUE", in answer);
            }
        }
        finally
        {
            work.Clear();
        }

        return ValueTask.CompletedTask;
    }

    private void Peek(PopTarget target, Topic topic, int start, PopWork work, int most)
    {
        int count = topic.Config.ReadQueueNums;
        for (int i = 0; i < count; i++)
        {
            Peek(target, topic, (start + i) % count, most, work);
        }
    }

    private void Peek(PopTarget target, Topic topic, int queueId, int most, PopWork work)
    {
        if (store.FindQueue(topic.NameUtf8.Span, queueId) is not { } queue)
        {
            return;
        }

        long offset = offsets.Next(target, topic, queue);
        work.Rest += Math.Max(0, queue.MaxOffset - offset);
        if (work.Count >= most)
        {
            return;
        }

        MessageSlices slices = work.NextSlices();
        ReadStatus status = store.Read(queue, offset, most - work.Count, int.MaxValue, null, slices);
        if (status is ReadStatus.OffsetTooSmall or ReadStatus.OffsetOverflowBadly)
        {
            status = store.Read(queue, slices.NextOffset, most - work.Count, int.MaxValue, null, slices);
        }

        if (status == ReadStatus.Found)
        {
            work.Add(slices);
        }
    }
}
