using System.Text;
using GrayMQ.Broker.Configuration;
using GrayMQ.Broker.States;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Dispatching;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Transactions;

/// <summary>What the store of half messages makes of a log, RocketMQ's as well as our own.</summary>
public sealed class HalfMessageStoreTests : IDisposable
{
    private const string HalfTopic = "RMQ_SYS_TRANS_HALF_TOPIC";
    private const string OperationTopic = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
    private const int RecordBytes = 1000;

    private readonly string _root = Directory.CreateTempSubdirectory("graymq-halves-").FullName;
    private readonly List<byte[]> _log = [];
    private readonly TransactionOptions _options = new()
    {
        BrokerAddress = "127.0.0.1",
        BrokerName = "b",
        IsRefused = new LiveSetting<bool>(false),
        TimeoutMs = new LiveSetting<int>(6000),
        CheckIntervalMs = new LiveSetting<int>(30_000),
        MaxChecks = new LiveSetting<int>(15),
        MaxOperationBytes = new LiveSetting<int>(4096),
        OperationIntervalMs = new LiveSetting<int>(3000),
        ReservedMs = 72 * 3_600_000L,
        MaxMessageBytes = 4 << 20,
    };

    private readonly DurableTo _disk = new();
    private StateStore _states;
    private HalfMessageStore _halves;
    private int _nextHalf;
    private int _nextOperation;

    public HalfMessageStoreTests()
    {
        _states = StateStore.Open(_root);
        _halves = new HalfMessageStore(_states, _options);
        _halves.OnOpening(_disk);
    }

    public void Dispose()
    {
        _states.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void RocketMqsLog_EveryWayToEnd_LeavesWhatIsPending()
    {
        Half();
        long committed = Half();
        Half();
        long open = Half();
        Half();
        Write("Orders", 0, prepared: committed, sysFlag: MessageSysFlag.TransactionCommit);
        Operation("0,2,");
        Operation("4");

        Assert.Equal([open], Pending());
        Assert.Equal([1], _halves.Owed());

        Operation("1,");
        Assert.Empty(_halves.Owed());
        Assert.Equal((3, 1), _halves.ResumeOffsets());
    }

    [Fact]
    public void RocketMqsLog_CheckedMessage_IsPendingOnce_WhenItsOffsetIsKnown()
    {
        Half();
        long copy = Half(checks: 1);
        long other = Half();

        Assert.Equal(1, _halves.ForgetBefore(1));

        Assert.Equal([copy, other], Pending());
        Write("Orders", 0, prepared: copy, sysFlag: MessageSysFlag.TransactionCommit);
        Assert.Equal([other], Pending());
    }

    [Fact]
    public void OurLog_CheckedMessage_IsOneTransaction_HoweverItIsNamed()
    {
        long root = Half();
        long first = Half(checks: 1, prepared: root);
        long second = Half(checks: 2, prepared: root);

        HalfMessage half = Assert.Single(_halves.List(0, 10));
        Assert.Equal((root, second, 2L, 2), (half.Root, half.PhysicalOffset, half.QueueOffset, half.Checks));
        Assert.Equal([0, 1], _halves.Owed());
        Assert.True(_halves.IsLastRecord(root, second));
        Assert.False(_halves.IsLastRecord(root, first));

        // RocketMQ, to which the store was handed, names the copy that it has asked about.
        Write("Orders", 0, prepared: second, sysFlag: MessageSysFlag.TransactionCommit);
        Assert.Empty(Pending());
        Assert.Equal([0, 1, 2], _halves.Owed());
    }

    [Fact]
    public void CheckOfOneThatHasEndedMeanwhile_IsNothing()
    {
        long root = Half();
        Write("Orders", 0, prepared: root, sysFlag: MessageSysFlag.TransactionCommit);

        Half(checks: 1, prepared: root);

        Assert.Empty(Pending());
        Assert.Equal([0, 1], _halves.Owed());
    }

    [Fact]
    public void TimersRecord_EndsNothing()
    {
        long root = Half();

        Write("Orders", 0, prepared: ~root);

        Assert.Equal([root], Pending());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public void LogShownAgain_AfterAnyKill_GivesTheSame(int savesEvery)
    {
        // Each record may be the last before a kill; what was saved by then is shown again from there.
        var random = new Random(savesEvery);
        var open = new List<(long Root, int QueueOffset)>();
        for (int step = 0; step < 200; step++)
        {
            int queueOffset = _nextHalf;
            if (open.Count == 0 || random.Next(3) == 0)
            {
                open.Add((Half(), queueOffset));
            }
            else
            {
                int at = random.Next(open.Count);
                switch (random.Next(4))
                {
                    case 0:
                        Half(checks: 1, prepared: open[at].Root);
                        open[at] = (open[at].Root, queueOffset);
                        break;
                    case 1:
                        Write("Orders", 0, prepared: open[at].Root, sysFlag: MessageSysFlag.TransactionCommit);
                        open.RemoveAt(at);
                        break;
                    case 2:
                        Operation($"{open[at].QueueOffset},", prepared: open[at].Root);
                        open.RemoveAt(at);
                        break;
                    default:
                        Operation($"{string.Join(',', _halves.Owed())},");
                        break;
                }
            }

            if (step % savesEvery == 0)
            {
                _halves.Save(random.Next(2) == 0 ? long.MaxValue : step * RecordBytes / 2);
            }

            if (random.Next(10) == 0)
            {
                List<long> owed = _halves.Owed();
                Reopen();
                Assert.Equal(owed, _halves.Owed());
            }

            Assert.Equal(open.Select(half => half.Root).Order(), Pending());
            Assert.Equal(open.Count, _halves.Count);
        }
    }

    [Fact]
    public void LogCut_ForgetsWhatIsNotThere_AndFallsBackToWhatIs()
    {
        long kept = Half();
        long rolledBack = Half();
        Half(checks: 1, prepared: kept);
        Half();
        _halves.Save(long.MaxValue);
        long end = rolledBack + RecordBytes;

        Reopen(end);

        Assert.Equal([kept, rolledBack], Pending());
        Assert.Equal(kept, _halves.List(0, 10)[0].PhysicalOffset);
        Assert.Equal(end, _halves.AppliedOffset);
        Assert.Empty(_halves.Owed());
    }

    public enum Ending
    {
        Commit,
        Rollback,
        RocketMqsRollback,
        GivenUp,
    }

    // The database may survive what the log does not.
    [Theory]
    [InlineData(Ending.Commit, true)]
    [InlineData(Ending.Commit, false)]
    [InlineData(Ending.Rollback, true)]
    [InlineData(Ending.Rollback, false)]
    [InlineData(Ending.RocketMqsRollback, true)]
    [InlineData(Ending.RocketMqsRollback, false)]
    [InlineData(Ending.GivenUp, true)]
    [InlineData(Ending.GivenUp, false)]
    public void PowerFailure_TakesTheEnd_TransactionWaitsAgain(Ending ending, bool isOld)
    {
        long other = Half();
        long root = Half();
        _halves.Save(isOld ? long.MaxValue : 0);
        long end = root + RecordBytes;
        _disk.DurableOffset = end;
        End(root, queueOffset: 1, ending);
        Operation("1,");
        Assert.Equal([other], Pending());
        _halves.Save(isOld ? long.MaxValue : 0);

        Assert.Equal(isOld ? 1 : 0, Reopen(end));

        Assert.Equal([other, root], Pending());
        Assert.Equal(2, _halves.Count);
        Assert.Empty(_halves.Owed());

        // And ends once more, for good.
        _disk.DurableOffset = long.MaxValue;
        End(root, queueOffset: 1, ending);
        _halves.Save(long.MaxValue);
        Assert.Equal(0, Reopen());
        Assert.Equal([other], Pending());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Kill_BeforeTheDiskHasTheEnd_LeavesItEnded(bool isOld)
    {
        long root = Half();
        _halves.Save(isOld ? long.MaxValue : 0);
        _disk.DurableOffset = root + RecordBytes;
        End(root, queueOffset: 0, Ending.Commit);
        _halves.Save(isOld ? long.MaxValue : 0);

        Assert.Equal(0, Reopen());
        Assert.Empty(Pending());

        // The disk has it; then nothing is kept of it any more.
        _disk.DurableOffset = long.MaxValue;
        _halves.Save(long.MaxValue);
        Assert.Equal(0, Reopen(root + RecordBytes));
    }

    [Fact]
    public void PowerFailure_TakesTheCheck_TheRootIsLookedAtAgain()
    {
        long root = Half();
        _halves.Save(long.MaxValue);
        Half(checks: 1, prepared: root);

        // The database knows of the check, but does not say that it has applied it.
        Assert.Equal(1, Reopen(root + RecordBytes));

        HalfMessage half = Assert.Single(_halves.List(0, 10));
        Assert.Equal((root, root), (half.Root, half.PhysicalOffset));
    }

    [Fact]
    public void PowerFailure_TakesTheHalfMessage_ItIsForgotten()
    {
        long kept = Half();
        Half();
        _halves.Save(long.MaxValue);

        Reopen(kept + RecordBytes);

        Assert.Equal([kept], Pending());
        Assert.Equal(1, _halves.Count);
    }

    // Where a full disk stops the start, the rest of the log is shown later.
    [Fact]
    public void Start_BeforeEverythingIsShown_IsNotCaughtUp()
    {
        long dispatched = 0;
        _halves.Start(() => dispatched, logEnd: 2 * RecordBytes, 0, 0);
        Assert.False(_halves.IsCaughtUp);

        dispatched = 2 * RecordBytes;

        Assert.True(_halves.IsCaughtUp);
    }

    [Fact]
    public void Applied_StaysBeforeTheFirstThatOnlyMemoryHas()
    {
        long young = Half();
        Half();
        _halves.Save(0);
        Assert.True(_halves.AppliedOffset <= young);

        _halves.Save(long.MaxValue);
        Assert.Equal(young + (2 * RecordBytes), _halves.AppliedOffset);

        _halves.OnCheckPoint(young + (5 * RecordBytes));
        _halves.Save(long.MaxValue);
        Assert.Equal(young + (5 * RecordBytes), _halves.AppliedOffset);
    }

    [Fact]
    public void Due_IsWhatWaitedLongEnough_TheFirstFirst()
    {
        long early = Half(storedMs: 1000);
        long late = Half(storedMs: 2000);
        Half(storedMs: 3000);
        _halves.Save(long.MaxValue);

        Assert.Empty(_halves.Due(6999, 10));
        Assert.Equal([early], _halves.Due(7000, 10).Select(half => half.Root));
        Assert.Equal([early, late], _halves.Due(8000, 10).Select(half => half.Root));
        Assert.Equal([early], _halves.Due(8000, 1).Select(half => half.Root));

        _halves.Start(() => long.MaxValue, long.MaxValue, 0, 0);
        Assert.True(_halves.TryBeginChecking(early));
        Assert.Equal([late], _halves.Due(8000, 10).Select(half => half.Root));
        Assert.True(_halves.TryBeginEnding(late));
        Assert.Empty(_halves.Due(8000, 10));
    }

    private void End(long root, int queueOffset, Ending ending)
    {
        switch (ending)
        {
            case Ending.Commit:
                Write("Orders", 0, prepared: root, sysFlag: MessageSysFlag.TransactionCommit);
                break;
            case Ending.Rollback:
                Operation($"{queueOffset},", prepared: root);
                break;
            case Ending.RocketMqsRollback:
                Operation($"{queueOffset},");
                break;
            default:
                Write("TRANS_CHECK_MAX_TIME_TOPIC", 0, prepared: root);
                break;
        }
    }

    private long[] Pending() => [.. _halves.List(0, 1000).Select(half => half.Root)];

    private long Half(int? checks = null, long prepared = 0, long? storedMs = null)
    {
        string properties = "REAL_TOPIC\u0001Orders\u0002REAL_QID\u00010\u0002";
        return Write(
            HalfTopic, _nextHalf++, prepared, properties: checks is null ? properties : $"{properties}TRANSACTION_CHECK_TIMES\u0001{checks}\u0002",
            storedMs: storedMs);
    }

    private void Operation(string body, long prepared = 0) =>
        Write(OperationTopic, _nextOperation++, prepared, body, properties: "TAGS\u0001d\u0002");

    // All records have the same size, and begin behind the first byte of the log.
    private long Write(
        string topic, int queueOffset, long prepared = 0, string body = "", int sysFlag = 0, string properties = "", long? storedMs = null)
    {
        long physicalOffset = (_log.Count + 1) * RecordBytes;
        var fields = new StoredMessageFields
        {
            Topic = Encoding.UTF8.GetBytes(topic),
            QueueOffset = queueOffset,
            PhysicalOffset = physicalOffset,
            PreparedTransactionOffset = prepared,
            SysFlag = sysFlag,
            StoreTimestampMs = storedMs ?? physicalOffset,
            Properties = Encoding.UTF8.GetBytes(properties),
        };
        byte[] bodyBytes = Encoding.UTF8.GetBytes(body);
        int filler = RecordBytes - (int)StoredMessageWriter.RecordBytes(fields, bodyBytes.Length);
        fields = new StoredMessageFields
        {
            Topic = fields.Topic,
            QueueOffset = queueOffset,
            PhysicalOffset = physicalOffset,
            PreparedTransactionOffset = prepared,
            SysFlag = sysFlag,
            StoreTimestampMs = fields.StoreTimestampMs,
            Properties = Encoding.UTF8.GetBytes($"{properties}x\u0001{new string('x', filler - 3)}\u0002"),
        };
        byte[] record = new byte[RecordBytes];
        Assert.Equal(RecordBytes, StoredMessageWriter.Write(record, fields, bodyBytes.AsSpan()));
        _log.Add(record);
        Show(record);
        return physicalOffset;
    }

    private void Show(byte[] record)
    {
        Assert.True(StoredMessage.TryRead(record, out StoredMessage message, out _));
        if (message.PreparedTransactionOffset != 0 || _halves.Follows(message.Topic))
        {
            _halves.OnRecord(message);
        }
    }

    // As after a kill, or a power failure that took the log's end away. Returns how many wait again.
    private int Reopen(long end = long.MaxValue)
    {
        _states.Dispose();
        _states = StateStore.Open(_root);
        _halves = new HalfMessageStore(_states, _options);
        _halves.OnOpening(_disk);
        if (_halves.AppliedOffset > end)
        {
            _halves.OnLogCut(end);
        }

        long from = _halves.AppliedOffset;
        _log.RemoveAll(record => Read(record).PhysicalOffset >= end);
        foreach (byte[] record in _log.Where(record => Read(record).PhysicalOffset >= from))
        {
            Show(record);
        }

        _nextHalf = NextOffset(HalfTopic);
        _nextOperation = NextOffset(OperationTopic);
        return _halves.Start(() => (_log.Count + 1) * RecordBytes, (_log.Count + 1) * RecordBytes, _nextHalf, _nextOperation);
    }

    private int NextOffset(string topic) => _log.Count(record => Read(record).Topic == topic);

    private static (long PhysicalOffset, string Topic) Read(byte[] record)
    {
        Assert.True(StoredMessage.TryRead(record, out StoredMessage message, out _));
        return (message.PhysicalOffset, Encoding.UTF8.GetString(message.Topic));
    }

    // Records are shown by the test itself; this only says how much the disk has of them.
    private sealed class DurableTo : ILogView
    {
        public long DurableOffset { get; set; } = long.MaxValue;

        public bool TryRead(long physicalOffset, MessageSlices result) => false;
    }
}
