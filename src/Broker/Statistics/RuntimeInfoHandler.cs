using System.Globalization;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store;

namespace GrayMQ.Broker.Statistics;

/// <summary>
/// Figures of the running broker under RocketMQ's names, which mqadmin brokerStatus and clusterList read:
/// GET_BROKER_RUNTIME_INFO (28). Asks the file system: belongs on the thread pool.
/// </summary>
internal sealed class RuntimeInfoHandler(string rootDirectory, MessageStore store, BrokerStatistics statistics, TimeProvider time)
{
    // RocketMQ's stages, each with a queue of threads. Here a request is answered where it was read, so nothing waits in one.
    private static readonly string[] Stages = ["send", "pull", "litePull", "query", "ack"];

    private readonly long _startedAtMs = time.GetUtcNow().ToUnixTimeMilliseconds();

    public ValueTask HandleAsync(RemotingRequest request, NoHeader header)
    {
        request.Reply(BodyCodec.Encode(new KVTable { Table = Read() }));
        return ValueTask.CompletedTask;
    }

    private Dictionary<string, string> Read()
    {
        var info = new Dictionary<string, string>(store.GetRuntimeInfo(), StringComparer.Ordinal)
        {
            ["brokerActive"] = "true",
            ["brokerVersion"] = Text(RemotingCommand.CurrentVersion),
            ["brokerVersionDesc"] = "V5_3_3",
            ["earliestMessageTimeStamp"] = Text(store.EarliestStoreTimestampMs),
            ["startAcceptSendRequestTimeStamp"] = Text(_startedAtMs),
            ["remainHowManyDataToFlush"] = Bytes(Math.Max(0, store.MaxPhysicalOffset - store.FlushedOffset)),
            ["remainTransientStoreBufferNumbs"] = Text(int.MaxValue),
            ["pageCacheLockTimeMills"] = Text(0),
            ["commitLogDirCapacity"] = Capacity(),
            ["EndTransactionQueueSize"] = Text(0),
            ["EndTransactionThreadPoolQueueCapacity"] = Text(0),
        };
        AddTotals(info);

        // As RocketMQ says it when its timer wheel is off.
        info["timerReadBehind"] = "0";
        info["timerOffsetBehind"] = "0";
        info["timerCongestNum"] = "0";
        info["timerEnqueueTps"] = "0.0";
        info["timerDequeueTps"] = "0.0";
        foreach (string stage in Stages)
        {
            info[$"{stage}ThreadPoolQueueSize"] = Text(0);
            info[$"{stage}ThreadPoolQueueCapacity"] = Text(0);
            info[$"{stage}ThreadPoolQueueHeadWaitTimeMills"] = Text(0);
        }

        return info;
    }

    private void AddTotals(Dictionary<string, string> info)
    {
        MorningTotals mornings = statistics.Mornings;
        info["msgPutTotalYesterdayMorning"] = Text(mornings.PutYesterday);
        info["msgPutTotalTodayMorning"] = Text(mornings.PutToday);
        info["msgPutTotalTodayNow"] = Text(statistics.PutTotal.Messages);
        info["msgGetTotalYesterdayMorning"] = Text(mornings.GetYesterday);
        info["msgGetTotalTodayMorning"] = Text(mornings.GetToday);
        info["msgGetTotalTodayNow"] = Text(statistics.GetTotal.Messages);
    }

    private string Capacity()
    {
        var drive = new DriveInfo(rootDirectory);
        return $"Total : {Bytes(drive.TotalSize)}, Free : {Bytes(drive.TotalFreeSpace)}.";
    }

    // RocketMQ: MixAll.humanReadableByteCount.
    private static string Bytes(long bytes)
    {
        const string Units = "KMGTPE";
        double value = bytes;
        int unit = -1;
        while (value >= 1024 && unit < Units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return unit < 0
            ? string.Create(CultureInfo.InvariantCulture, $"{bytes} B")
            : string.Create(CultureInfo.InvariantCulture, $"{value:F1} {Units[unit]}iB");
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
