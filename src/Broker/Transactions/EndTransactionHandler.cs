using GrayMQ.Broker.Delays;
using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Sending;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store.Appending;
using GrayMQ.Store.Flushing;
using GrayMQ.Store.Reading;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Transactions;

/// <summary>
/// Ends transactions as their producers say: END_TRANSACTION (37; RocketMQ: EndTransactionProcessor). A transaction ends once: with the
/// record that is stored here, whether the producer hears of it or not.
/// </summary>
internal sealed class EndTransactionHandler(
    HalfMessageStore halves,
    HalfMessageLog log,
    OperationWriter operations,
    MessageIntake intake,
    DelayRouting delays,
    TopicTable topics,
    TransactionStatistics statistics,
    TransactionOptions options,
    TimeProvider time,
    ILogger<EndTransactionHandler> logger)
{
    private const long MsPerSecond = 1000;

    // What is read is copied into the log before the handler returns.
    [ThreadStatic]
    private static MessageSlices? _slices;

    public ValueTask HandleAsync(RemotingRequest request, EndTransactionHeader header)
    {
        switch (header.Outcome)
        {
            case MessageSysFlag.TransactionCommit or MessageSysFlag.TransactionRollback:
                return End(request.Responder, in header);
            case MessageSysFlag.TransactionNone:
                // It will be asked again. RocketMQ leaves this without an answer.
                Log.TransactionUnknown(logger, header.PhysicalOffset, request.Connection.RemoteEndPoint);
                request.Reply(ResponseCode.Success);
                return ValueTask.CompletedTask;
            default:
                throw new RemotingException(ResponseCode.SystemError, "commitOrRollback field wrong");
        }
    }

    private ValueTask End(Responder responder, in EndTransactionHeader header)
    {
        if (!halves.IsCaughtUp)
        {
            throw new RemotingException(
                ResponseCode.ServiceNotAvailable, "service not available now: the broker has not come through its log yet");
        }

        MessageSlices slices = _slices ??= new MessageSlices();
        try
        {
            if (!log.TryRead(header.PhysicalOffset, slices, out StoredMessage half))
            {
                throw new RemotingException(ResponseCode.SystemError, "Find prepared transaction message failed");
            }

            CheckRight(in header, in half);
            AppendResult result = End(in half, header.Outcome == MessageSysFlag.TransactionCommit);
            return responder.IsOneWay ? ValueTask.CompletedTask : ReplyAsync(responder, intake.WaitForFlushAsync(result.EndOffset));
        }
        finally
        {
            slices.Clear();
        }
    }

    // RocketMQ: rejectCommitOrRollback and checkPrepareMessage.
    private void CheckRight(in EndTransactionHeader header, in StoredMessage half)
    {
        if (!header.FromCheck
            && HalfMessageReader.MayEndUnaskedMs(in half, options) is { } mayEndMs
            && NowMs() - half.StoreTimestampMs > mayEndMs)
        {
            throw new RemotingException(
                ResponseCode.IllegalOperation, $"the transaction can be ended for {mayEndMs} ms; later the producer is asked");
        }

        if (!half.TryGetProperty(MessagePropertyUtf8.ProducerGroup, out ReadOnlySpan<byte> group)
            || !group.SequenceEqual(header.ProducerGroup.Span))
        {
            throw new RemotingException(ResponseCode.SystemError, "The producer group wrong");
        }

        if (half.QueueOffset != header.QueueOffset)
        {
            throw new RemotingException(ResponseCode.SystemError, "The transaction state table offset wrong");
        }
    }

    private AppendResult End(in StoredMessage half, bool commit)
    {
        long root = HalfMessageReader.RootOf(in half);
        if (!halves.TryBeginEnding(root))
        {
            throw new RemotingException(
                ResponseCode.IllegalOperation, "the transaction has ended: it was committed, rolled back or given up");
        }

        bool stored = false;
        try
        {
            AppendResult result = commit ? Commit(in half, root) : operations.AppendRollback(root, half.QueueOffset);
            if (!result.IsOk)
            {
                throw MessageIntake.Refusal(result.Status, options.MaxMessageBytes);
            }

            stored = true;
            statistics.Ended(HalfMessageReader.TopicOf(in half), commit, (NowMs() - half.BornTimestampMs) / MsPerSecond);
            return result;
        }
        finally
        {
            if (!stored)
            {
                halves.CancelEnding(root);
            }
        }
    }

    // RocketMQ: endMessageTransaction. It, too, leaves the properties of the half message on the message, and delays what asks for it.
    private AppendResult Commit(in StoredMessage half, long root)
    {
        ReadOnlySpan<byte> name = HalfMessageReader.TopicOf(in half);
        Topic topic = topics.Find(name)
            ?? throw new RemotingException(
                ResponseCode.TopicNotExist, $"topic[{System.Text.Encoding.UTF8.GetString(name)}] does not exist any more");
        var properties = new MessagePropertiesEditor(half.Properties);
        try
        {
            DelayRoute route = delays.Route(topic, QueueOf(topic, in half), ref properties);
            if (!ReferenceEquals(route.Topic, topic))
            {
                GrayAcceptance.Keep(ref properties, in half);
            }

            return intake.Append(route.Topic, route.QueueId, intake.Copy(in half, properties.Bytes) with
            {
                SysFlag = MessageSysFlag.WithTransaction(half.SysFlag, MessageSysFlag.TransactionCommit),
                PreparedTransactionOffset = root,
            });
        }
        finally
        {
            properties.Dispose();
        }
    }

    // The topic may have fewer queues than when the message was sent.
    private static int QueueOf(Topic topic, in StoredMessage half)
    {
        TopicConfig config = topic.Config;
        int queues = Math.Max(1, Math.Max(config.WriteQueueNums, config.ReadQueueNums));
        return Math.Max(0, HalfMessageReader.QueueIdOf(in half)) % queues;
    }

    private static async ValueTask ReplyAsync(Responder responder, ValueTask<FlushStatus> flush) =>
        responder.Reply(MessageIntake.ToCode(await flush.ConfigureAwait(false)));

    private long NowMs() => time.GetUtcNow().ToUnixTimeMilliseconds();
}
