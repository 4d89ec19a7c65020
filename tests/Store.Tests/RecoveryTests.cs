using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Appending;
using GrayMQ.Store.Tests.Support;

namespace GrayMQ.Store.Tests;

/// <summary>What is left after kill -9, after truncation and after damage.</summary>
public sealed class RecoveryTests : IDisposable
{
    private readonly TempFolder _folder = new(inMemory: true);

    public void Dispose() => _folder.Dispose();

    private string Source => _folder["source"];

    private static string Keys(int i) => $"UNIQ_KEY\u0001u{i}\u0002KEYS\u0001k{i % 7}\u0002TAGS\u0001t{i % 3}\u0002";

    // A killed store of three queues; the check point is taken after some of the messages.
    private async Task<(string Killed, List<AppendResult> Appended)> KillAsync(int count, int checkPointAfter = -1, int bodyBytes = 300)
    {
        var appended = new List<AppendResult>();
        string killed;
        await using (TestStore store = TestStore.Open(TestStore.Options(Source) with { CheckPointIntervalMs = int.MaxValue }))
        {
            for (int i = 0; i < count; i++)
            {
                if (i == checkPointAfter)
                {
                    store.WaitForDispatch();
                    Assert.True(store.Store.TakeCheckPoint());
                }

                appended.Add(store.Append(TestStore.Body(i, bodyBytes), queueId: i % 3, properties: Keys(i)));
                Assert.True(appended[i].IsOk);
            }

            store.WaitForDispatch();
            killed = Folders.Copy(Source, _folder["killed"]);
        }

        Assert.True(File.Exists(Path.Combine(killed, "abort")));
        return (killed, appended);
    }

    private static void AssertHolds(TestStore store, IEnumerable<int> expected, int bodyBytes = 300)
    {
        var wanted = expected.ToList();
        for (int queueId = 0; queueId < 3; queueId++)
        {
            List<ReceivedMessage> messages = store.ReadAll(queueId: queueId);
            var inQueue = wanted.Where(i => i % 3 == queueId).ToList();
            Assert.Equal(inQueue.Select(i => (long)i / 3), messages.Select(message => message.QueueOffset));
            foreach ((int i, ReceivedMessage message) in inQueue.Zip(messages))
            {
                Assert.True(message.Body.Span.SequenceEqual(TestStore.Body(i, bodyBytes)), $"message {i}");
            }
        }
    }

    private static void AssertIndexed(TestStore store, IEnumerable<int> expected, List<AppendResult> appended)
    {
        foreach (int i in expected)
        {
            Assert.Equal(
                [appended[i].PhysicalOffset],
                store.Store.QueryByKey(TestStore.Topic, $"u{i}", 10, 0, long.MaxValue).PhysicalOffsets);
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(250)]
    [InlineData(500)]
    public async Task Open_AfterKill_EverythingIsThere(int checkPointAfter)
    {
        (string killed, List<AppendResult> appended) = await KillAsync(600, checkPointAfter);
        var logs = new LogRecorder();
        StoreOptions options = TestStore.Options(killed);
        for (int round = 0; round < 2; round++)
        {
            await using TestStore store = TestStore.Open(options, logs: logs);
            AssertHolds(store, Enumerable.Range(0, 600));
            AssertIndexed(store, Enumerable.Range(0, 600), appended);
            Assert.Equal(appended[^1].EndOffset, store.Store.MaxPhysicalOffset);
        }

        Assert.Empty(logs.Warnings);
        Assert.Empty(Directory.GetDirectories(killed, "quarantine"));
    }

    [Fact]
    public async Task Open_AfterKill_ReadsOnlyWhatLiesBehindTheCheckPoint()
    {
        (string killed, _) = await KillAsync(600, checkPointAfter: 590);
        var logs = new LogRecorder();
        await using TestStore store = TestStore.Open(TestStore.Options(killed), logs: logs);
        Assert.Contains(logs.All, line => line.StartsWith("10 records from ", StringComparison.Ordinal));
        AssertHolds(store, Enumerable.Range(0, 600));
    }

    [Fact]
    public async Task Open_AfterCleanStop_ReadsNoRecord()
    {
        await using (TestStore store = TestStore.Open(TestStore.Options(Source)))
        {
            for (int i = 0; i < 100; i++)
            {
                store.Append(TestStore.Body(i, 300), queueId: i % 3);
            }
        }

        var logs = new LogRecorder();
        await using TestStore again = TestStore.Open(TestStore.Options(Source), logs: logs);
        Assert.Contains(logs.All, line => line.StartsWith("0 records from ", StringComparison.Ordinal));
        AssertHolds(again, Enumerable.Range(0, 100));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Open_TornTailAtEveryByte_CutsTheTornRecordOnly(bool checkPointSaysItIsDurable)
    {
        const int BodyBytes = 40;
        (string killed, List<AppendResult> appended) = await KillAsync(
            10, checkPointSaysItIsDurable ? 10 : 9, BodyBytes);
        if (checkPointSaysItIsDurable)
        {
            // The last check point was before the last message: make one behind it.
            await using TestStore store = TestStore.Open(TestStore.Options(killed));
            Assert.True(store.Store.TakeCheckPoint());
            Folders.Copy(killed, _folder["checked"]);
            killed = _folder["checked"];
        }

        AppendResult last = appended[^1];
        byte[] log = await File.ReadAllBytesAsync(Path.Combine(killed, "commitlog", "00000000000000000000"));
        for (int kept = 0; kept < last.Bytes; kept++)
        {
            string torn = Folders.Copy(killed, _folder[$"torn{kept}"]);
            byte[] bytes = [.. log];
            bytes.AsSpan((int)last.PhysicalOffset + kept, last.Bytes - kept).Clear();
            bool changed = !bytes.AsSpan().SequenceEqual(log);
            await File.WriteAllBytesAsync(Path.Combine(torn, "commitlog", "00000000000000000000"), bytes);

            await using (TestStore store = TestStore.Open(TestStore.Options(torn)))
            {
                int expected = changed && !IsWhole(bytes, last) ? 9 : 10;
                AssertHolds(store, Enumerable.Range(0, expected), BodyBytes);
                if (expected == 9)
                {
                    AppendResult next = store.Append(TestStore.Body(9, BodyBytes), queueId: 0, properties: Keys(9));
                    Assert.Equal(last.PhysicalOffset, next.PhysicalOffset);
                    Assert.Equal(last.QueueOffset, next.QueueOffset);
                    store.WaitForDispatch();
                }

                AssertHolds(store, Enumerable.Range(0, 10), BodyBytes);
            }

            Directory.Delete(torn, recursive: true);
        }

        // The last bytes are properties, which no CRC covers: what is cut off there cannot be told from what was written.
        static bool IsWhole(byte[] bytes, AppendResult record) =>
            StoredMessage.TryRead(bytes.AsSpan((int)record.PhysicalOffset), out StoredMessage message, out _)
            && message.BodyCrcMatches();
    }

    [Fact]
    public async Task Open_FileTruncatedAtAnyPlace_KeepsWhatIsWhole()
    {
        (string killed, List<AppendResult> appended) = await KillAsync(60);
        var random = new Random(3);
        for (int round = 0; round < 25; round++)
        {
            string cut = Folders.Copy(killed, _folder[$"cut{round}"]);
            int length = round == 0 ? 0 : random.Next((int)appended[^1].EndOffset);
            using (FileStream file = File.OpenWrite(Path.Combine(cut, "commitlog", "00000000000000000000")))
            {
                file.SetLength(length);
            }

            var logs = new LogRecorder();
            int whole = appended.Count(result => result.EndOffset <= length);
            await using (TestStore store = TestStore.Open(TestStore.Options(cut), logs: logs))
            {
                AssertHolds(store, Enumerable.Range(0, whole));
                AppendResult next = store.Append("next", queueId: 0);
                Assert.Equal(whole == 0 ? 0 : appended[whole - 1].EndOffset, next.PhysicalOffset);
                Assert.Equal((whole + 2) / 3, next.QueueOffset);
            }

            Assert.Contains(logs.Warnings, line => line.Contains($"has {length} bytes", StringComparison.Ordinal));
            Directory.Delete(cut, recursive: true);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(20)]
    [InlineData(28)]
    [InlineData(100)]
    public async Task Open_GarbageInTheMiddle_OnlyTheDamagedMessageIsLost(int position)
    {
        (string killed, List<AppendResult> appended) = await KillAsync(60);
        string path = Path.Combine(killed, "commitlog", "00000000000000000000");
        byte[] log = await File.ReadAllBytesAsync(path);
        AppendResult damaged = appended[30];
        log.AsSpan((int)damaged.PhysicalOffset + position, 8).Fill(0xA5);
        await File.WriteAllBytesAsync(path, log);

        var logs = new LogRecorder();
        for (int round = 0; round < 2; round++)
        {
            await using TestStore store = TestStore.Open(TestStore.Options(killed), logs: logs);
            AssertHolds(store, Enumerable.Range(0, 60).Where(i => i != 30));
            AssertIndexed(store, Enumerable.Range(0, 60).Where(i => i != 30), appended);
            Assert.Equal(appended[^1].EndOffset, store.Store.MaxPhysicalOffset);
            AssertWalkable(killed, store.Store.MaxPhysicalOffset);
        }

        Assert.Contains(logs.Warnings, line => line.Contains($"at {damaged.PhysicalOffset} ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Open_PageOfZerosInTheMiddle_TheRestIsServed()
    {
        (string killed, List<AppendResult> appended) = await KillAsync(100);
        string path = Path.Combine(killed, "commitlog", "00000000000000000000");
        byte[] log = await File.ReadAllBytesAsync(path);
        log.AsSpan(8_192, 4_096).Clear();
        await File.WriteAllBytesAsync(path, log);

        await using TestStore store = TestStore.Open(TestStore.Options(killed));
        AssertHolds(store, Enumerable.Range(0, 100).Where(
            i => appended[i].EndOffset <= 8_192 || appended[i].PhysicalOffset >= 8_192 + 4_096));
    }

    [Fact]
    public async Task Open_CleanlyStoppedAndDamagedSince_ServesAllButTheDamaged()
    {
        (_, List<AppendResult> appended) = await KillAsync(60);
        string path = Path.Combine(Source, "commitlog", "00000000000000000000");
        byte[] log = await File.ReadAllBytesAsync(path);
        log.AsSpan((int)appended[30].PhysicalOffset, 8).Fill(0x11);
        await File.WriteAllBytesAsync(path, log);

        await using TestStore store = TestStore.Open(TestStore.Options(Source));
        AssertHolds(store, Enumerable.Range(0, 60).Where(i => i != 30));
        Assert.Equal(20, store.Append("next", queueId: 0).QueueOffset);
    }

    // Zeros look like the log's end, and the newest record, from which a clean start would tell, is gone as well.
    [Fact]
    public async Task Open_CleanlyStoppedAndZeroedSince_ServesAllButTheDamagedAndNothingOldComesBack()
    {
        (_, List<AppendResult> appended) = await KillAsync(60);
        string path = Path.Combine(Source, "commitlog", "00000000000000000000");
        byte[] log = await File.ReadAllBytesAsync(path);
        log.AsSpan((int)appended[20].PhysicalOffset, 100).Clear();
        log.AsSpan((int)appended[59].PhysicalOffset, 8).Clear();
        await File.WriteAllBytesAsync(path, log);
        foreach (string checkPoint in Directory.GetFiles(Source, "*checkpoint*"))
        {
            File.Delete(checkPoint);
        }

        for (int start = 0; start < 3; start++)
        {
            await using TestStore store = TestStore.Open(TestStore.Options(Source));
            IEnumerable<long> served = Enumerable.Range(0, 3).SelectMany(queueId => store.ReadAll(queueId: queueId)).Select(message => message.PhysicalOffset).Order();
            Assert.Equal(appended.Where((_, i) => i is not (20 or 59)).Select(result => result.PhysicalOffset), served.Take(58));
            Assert.Equal(58 + start, served.Count());
            Assert.True(store.Append("next", queueId: 0).IsOk);
            store.WaitForDispatch();
        }
    }

    // No CRC covers a record's queue offset.
    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(1L << 40)]
    public async Task Open_QueueOffsetDamagedAndQueuesLost_ServesTheOthers(long queueOffset)
    {
        (string killed, List<AppendResult> appended) = await KillAsync(60);
        string path = Path.Combine(killed, "commitlog", "00000000000000000000");
        byte[] log = await File.ReadAllBytesAsync(path);
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(
            log.AsSpan((int)appended[0].PhysicalOffset + StoredMessageLayout.QueueOffsetPosition), queueOffset);
        await File.WriteAllBytesAsync(path, log);
        Directory.Delete(Path.Combine(killed, "consumequeue"), recursive: true);

        await using TestStore store = TestStore.Open(TestStore.Options(killed));
        AssertHolds(store, Enumerable.Range(1, 59));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Open_LogFileOfTheMiddleMissing_ServesTheOthers(bool clean)
    {
        (string killed, List<AppendResult> appended) = await KillAsync(600);
        string root = clean ? Source : killed;
        int fileBytes = TestStore.Options(root).CommitLogFileBytes;
        File.Delete(Path.Combine(root, "commitlog", $"{fileBytes:D20}"));

        var logs = new LogRecorder();
        await using TestStore store = TestStore.Open(TestStore.Options(root), logs: logs);
        AssertHolds(store, Enumerable.Range(0, 600).Where(
            i => appended[i].PhysicalOffset < fileBytes || appended[i].PhysicalOffset >= 2 * fileBytes));
        Assert.Contains(logs.Warnings, line => line.Contains($"no files for {fileBytes} to {2 * fileBytes}", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true, "zero-length")]
    [InlineData(true, "short")]
    [InlineData(true, "garbage-behind")]
    [InlineData(true, "beyond")]
    [InlineData(true, "other-message")]
    [InlineData(true, "middle-missing")]
    [InlineData(true, "gone")]
    [InlineData(false, "zero-length")]
    [InlineData(false, "short")]
    [InlineData(false, "garbage-behind")]
    [InlineData(false, "beyond")]
    [InlineData(false, "middle-missing")]
    [InlineData(false, "gone")]
    public async Task Open_QueueFileDamaged_QueueIsBuiltAnew(bool clean, string damage)
    {
        (string killed, List<AppendResult> appended) = await KillAsync(600, checkPointAfter: 580);
        string root = clean ? Source : killed;
        string queue = Path.Combine(root, "consumequeue", TestStore.Topic, "1");
        string[] files = [.. Directory.GetFiles(queue).Order(StringComparer.Ordinal)];
        Assert.Equal(4, files.Length);
        byte[] last = await File.ReadAllBytesAsync(files[3]);
        switch (damage)
        {
            case "zero-length":
                await File.WriteAllBytesAsync(files[3], []);
                break;
            case "short":
                await File.WriteAllBytesAsync(files[3], last[..333]);
                break;
            case "garbage-behind":
                last.AsSpan(50 * 20 / 2 + 20 * 20).Fill(0x93);
                last.AsSpan(0, 20 * 20).Fill(0x93);
                await File.WriteAllBytesAsync(files[3], last);
                break;
            case "beyond":
                // Entries of messages that the log never had.
                System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(last.AsSpan(49 * 20), 1L << 40);
                System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(last.AsSpan((49 * 20) + 8), 100);
                await File.WriteAllBytesAsync(files[3], last);
                break;
            case "other-message":
                System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(last.AsSpan(49 * 20), appended[597].PhysicalOffset + 1);
                await File.WriteAllBytesAsync(files[3], last);
                break;
            case "middle-missing":
                File.Delete(files[1]);
                break;
            default:
                Directory.Delete(Path.Combine(root, "consumequeue"), recursive: true);
                break;
        }

        var logs = new LogRecorder();
        await using (TestStore store = TestStore.Open(TestStore.Options(root), logs: logs))
        {
            AssertHolds(store, Enumerable.Range(0, 600));
            AssertIndexed(store, Enumerable.Range(0, 600), appended);
            Assert.Equal(200, store.Append("next", queueId: 1).QueueOffset);
        }

        await using TestStore again = TestStore.Open(TestStore.Options(root));
        Assert.Equal(201, again.ReadAll(queueId: 1).Count);
    }

    [Theory]
    [InlineData("count-huge")]
    [InlineData("count-negative")]
    [InlineData("count-too-small")]
    [InlineData("zero-length")]
    [InlineData("garbage-slots")]
    [InlineData("circle")]
    public async Task Open_IndexFileDamaged_StoreServesAndNothingIsMadeUp(string damage)
    {
        foreach (bool clean in new[] { false, true })
        {
            Directory.Delete(_folder.Path, recursive: true);
            Directory.CreateDirectory(_folder.Path);
            (string killed, List<AppendResult> appended) = await KillAsync(300, checkPointAfter: 200);
            string root = clean ? Source : killed;
            string path = Directory.GetFiles(Path.Combine(root, "index"))[0];
            byte[] index = await File.ReadAllBytesAsync(path);
            switch (damage)
            {
                case "count-huge":
                    index.AsSpan(36, 4).Fill(0x7F);
                    break;
                case "count-negative":
                    index.AsSpan(36, 4).Fill(0xFF);
                    break;
                case "count-too-small":
                    index.AsSpan(36, 4).Clear();
                    index[39] = 10;
                    break;
                case "zero-length":
                    index = [];
                    break;
                case "garbage-slots":
                    new Random(1).NextBytes(index.AsSpan(40, 2_000));
                    break;
                default:
                    // Every entry names itself, or its neighbour, as the older one.
                    for (int entry = 1; entry < 600; entry++)
                    {
                        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(
                            index.AsSpan(40 + 2_000 + (entry * 20) + 16), entry ^ 1);
                    }

                    break;
            }

            await File.WriteAllBytesAsync(path, index);
            await using TestStore store = TestStore.Open(TestStore.Options(root));
            AssertHolds(store, Enumerable.Range(0, 300));
            for (int i = 0; i < 300; i++)
            {
                IReadOnlyList<long> found = store.Store.QueryByKey(TestStore.Topic, $"u{i}", 10, 0, long.MaxValue).PhysicalOffsets;
                Assert.All(found, offset => Assert.Equal(appended[i].PhysicalOffset, offset));
            }

            long next = store.Append("next", properties: Keys(1_000)).PhysicalOffset;
            store.WaitForDispatch();
            Assert.Equal([next], store.Store.QueryByKey(TestStore.Topic, "u1000", 10, 0, long.MaxValue).PhysicalOffsets);
        }
    }

    [Fact]
    public async Task Open_GarbageEverywhere_AlwaysStartsOrRefusesAndNeverServesWrongBytes()
    {
        (string killed, _) = await KillAsync(300, checkPointAfter: 150);
        for (int seed = 0; seed < 40; seed++)
        {
            string damaged = Folders.Copy(killed, _folder[$"damaged{seed}"]);
            var random = new Random(seed);
            string[] files = [.. Directory.GetFiles(damaged, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
            for (int hit = 0; hit < 4; hit++)
            {
                string path = files[random.Next(files.Length)];
                byte[] bytes = await File.ReadAllBytesAsync(path);
                if (bytes.Length > 0)
                {
                    int start = random.Next(bytes.Length);
                    random.NextBytes(bytes.AsSpan(start, Math.Min(random.Next(1, 400), bytes.Length - start)));
                    await File.WriteAllBytesAsync(path, bytes);
                }
            }

            await using (TestStore store = TestStore.Open(TestStore.Options(damaged)))
            {
                for (int queueId = 0; queueId < 3; queueId++)
                {
                    foreach (ReceivedMessage message in store.ReadAll(queueId: queueId))
                    {
                        Assert.Equal(TestStore.Topic, message.Topic);
                    }

                    Assert.True(store.Append("next", queueId: queueId).IsOk);
                }

                store.WaitForDispatch();
            }

            Directory.Delete(damaged, recursive: true);
        }
    }

    [Fact]
    public async Task Open_LogGone_QueuesArePutAway()
    {
        await KillAsync(30);
        Directory.Delete(Path.Combine(Source, "commitlog"), recursive: true);
        await using TestStore store = TestStore.Open(TestStore.Options(Source));
        Assert.Empty(store.ReadAll());
        Assert.Equal(0, store.Append("new").QueueOffset);
        Assert.True(Directory.Exists(Path.Combine(Source, "quarantine")));
    }

    [Fact]
    public async Task Open_KilledAgainAndAgain_NothingOldComesBack()
    {
        // Records of one size: what an earlier life left behind the end would fit exactly behind a new record.
        (string killed, List<AppendResult> appended) = await KillAsync(12);
        string path = Path.Combine(killed, "commitlog", "00000000000000000000");
        byte[] log = await File.ReadAllBytesAsync(path);
        log.AsSpan((int)appended[10].PhysicalOffset, 91).Clear();
        log.AsSpan((int)appended[11].PhysicalOffset + 100, 50).Fill(7);
        await File.WriteAllBytesAsync(path, log);

        string again = _folder["again"];
        await using (TestStore store = TestStore.Open(TestStore.Options(killed)))
        {
            AssertHolds(store, Enumerable.Range(0, 10));
            store.Append(TestStore.Body(10, 300), queueId: 1, properties: Keys(10));
            store.WaitForDispatch();
            Folders.Copy(killed, again);
        }

        await using TestStore last = TestStore.Open(TestStore.Options(again));
        AssertHolds(last, Enumerable.Range(0, 11));
        Assert.Equal(appended[10].EndOffset, last.Store.MaxPhysicalOffset);
    }

    // RocketMQ walks a log from the beginning of a file: every byte up to the end has to belong to a record or a filler.
    private static void AssertWalkable(string root, long end)
    {
        int fileBytes = TestStore.Options(root).CommitLogFileBytes;
        long offset = 0;
        while (offset < end)
        {
            byte[] file = FaultyFileSystem.ReadShared(Path.Combine(root, "commitlog", $"{offset / fileBytes * fileBytes:D20}"));
            int position = (int)(offset % fileBytes);
            StoredMessageStatus status = StoredMessage.Read(file.AsSpan(position), out StoredMessage message);
            if (status == StoredMessageStatus.Blank)
            {
                offset += fileBytes - position;
                continue;
            }

            Assert.Equal(StoredMessageStatus.Message, status);
            Assert.True(message.BodyCrcMatches());
            offset += message.TotalSize;
        }

        Assert.Equal(end, offset);
    }
}
