using System.Text;
using GrayMQ.Broker.Sending;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Store.Appending;
using GrayMQ.Store.Reading;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Transactions;

/// <summary>
/// Takes up transactions that have not ended in time. Each is stored again with a higher count, as RocketMQ does: so the count survives,
/// and so does the message when the log is cleaned up behind it. Then its producers are asked. One that was checked too often is
/// put aside, where an administrator finds it. For one thread at a time.
/// </summary>
internal sealed class TransactionChecker(
    HalfMessageStore halves,
    HalfMessageLog log,
    MessageIntake intake,
    TopicTable topics,
    TransactionOptions options,
    TimeProvider time,
    ILogger<TransactionChecker> logger)
{
    // The rest waits for the next round.
    private const int MaxAtOnce = 1000;

    /// <summary>Takes up what is due. Throws IOException.</summary>
    public void CheckDue()
    {
        using var slices = new MessageSlices();
        long nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (HalfMessage half in halves.Due(nowMs, MaxAtOnce))
        {
            AppendStatus status = TakeUp(in half, nowMs, slices);
            if (status != AppendStatus.Ok)
            {
                Log.TransactionNotChecked(logger, half.Root, half.Topic.Name, status);
            }

            if (status is AppendStatus.ServiceNotAvailable or AppendStatus.CreateMappedFileFailed)
            {
                // Most likely the disk is full; all are tried again. What is refused for its own sake holds up no other.
                return;
            }
        }
    }

    private AppendStatus TakeUp(in HalfMessage half, long nowMs, MessageSlices slices)
    {
        try
        {
            if (!log.TryRead(in half, slices, out StoredMessage message))
            {
                Log.HalfMessageGone(logger, half.Topic.Name, half.Root, half.PhysicalOffset);
                halves.Forget(half.Root);
                return AppendStatus.Ok;
            }

            int checks = HalfMessageReader.FindChecks(in message) ?? 0;
            bool isCheckedEnough = checks > 0 && checks >= options.MaxChecks.Value;
            if (isCheckedEnough || nowMs - half.StoredMs >= options.ReservedMs)
            {
                return GiveUp(in half, in message);
            }

            // Where the count finds no room among the properties, nobody could tell when it has been asked often enough.
            AppendStatus status = Check(in half, in message, checks + 1);
            return status == AppendStatus.PropertiesSizeExceeded ? GiveUp(in half, in message) : status;
        }
        finally
        {
            slices.Clear();
        }
    }

    private AppendStatus Check(in HalfMessage half, in StoredMessage message, int checks)
    {
        if (!halves.TryBeginChecking(half.Root))
        {
            return AppendStatus.Ok;
        }

        AppendStatus status = AppendStatus.UnknownError;
        try
        {
            using var properties = new MessagePropertiesEditor(message.Properties);
            properties.Set(MessagePropertyUtf8.TransactionCheckTimes, checks);
            Topic topic = topics.CreateOnSendBack(TopicNames.TransactionHalf, queueNums: 1);
            status = intake.Append(topic, HalfMessageIntake.QueueId, intake.Copy(in message, properties.Bytes) with
            {
                PreparedTransactionOffset = half.Root,
            }).Status;
        }
        finally
        {
            if (status != AppendStatus.Ok)
            {
                halves.CancelChecking(half.Root);
            }
        }

        return status;
    }

    private AppendStatus GiveUp(in HalfMessage half, in StoredMessage message)
    {
        if (!halves.TryBeginEnding(half.Root))
        {
            return AppendStatus.Ok;
        }

        AppendStatus status = AppendStatus.UnknownError;
        try
        {
            Topic topic = topics.CreateOnSendBack(TopicNames.TransactionChecksExceeded, queueNums: 1);
            status = intake.Append(topic, queueId: 0, intake.Copy(in message, message.Properties) with
            {
                PreparedTransactionOffset = half.Root,
            }).Status;
        }
        finally
        {
            if (status != AppendStatus.Ok)
            {
                halves.CancelEnding(half.Root);
            }
        }

        if (status == AppendStatus.Ok)
        {
            message.TryGetProperty(MessagePropertyUtf8.UniqueKey, out ReadOnlySpan<byte> key);
            Log.TransactionGivenUp(
                logger, Encoding.UTF8.GetString(key), half.Topic.Name, half.Checks, TopicNames.TransactionChecksExceeded);
        }

        return status;
    }
}
