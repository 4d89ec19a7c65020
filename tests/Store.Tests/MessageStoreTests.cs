using System.Buffers;
using System.Text;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Appending;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Reading;
using GrayMQ.Store.Tests.Support;

namespace GrayMQ.Store.Tests;

public sealed class MessageStoreTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Append_Messages_AreReadInOrderAndAfterReopening()
    {
        StoreOptions options = TestStore.Options(_folder.Path);
        List<string> expected = [.. Enumerable.Range(0, 500).Select(i => $"message {i} {new string('x', i)}")];
        await using (TestStore store = TestStore.Open(options))
        {
            foreach (string body in expected)
            {
                Assert.True(store.Append(body).IsOk);
            }

            store.WaitForDispatch();
            Assert.Equal(expected, store.ReadBodies());
            Assert.Equal(
                Enumerable.Range(0, 500).Select(i => (TestStore.Topic, 0, (long)i, 0L)), store.Arrivals.All);
        }

        Assert.False(File.Exists(_folder["abort"]));
        await using TestStore again = TestStore.Open(options);
        Assert.Equal(expected, again.ReadBodies());
        Assert.Empty(again.Arrivals.All);
        Assert.Equal(500, again.Append("next").QueueOffset);
    }

    [Fact]
    public async Task Append_AnnouncedLater_IsDispatchedWhenItIs()
    {
        // Its threads do not run: they would find the messages by themselves if they looked just then.
        await using TestStore store = TestStore.Open(TestStore.Options(_folder.Path), start: false);
        for (int i = 0; i < 3; i++)
        {
            store.AppendAnnouncedLater("body");
        }

        Assert.Empty(store.Arrivals.All);
        store.Store.AnnounceAppended();
        Assert.Equal(3, store.Arrivals.All.Count);
    }

    [Fact]
    public async Task AnnounceAppendedSoon_WhatWasAppendedIsThereWhenItIsSaid()
    {
        await using TestStore store = TestStore.Open(TestStore.Options(_folder.Path), start: false);
        store.AppendAnnouncedLater("body");
        var told = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        store.Store.AnnounceAppendedSoon(told.SetResult);
        Assert.Null(await told.Task.WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Contains("body", LogText(), StringComparison.Ordinal);
        Assert.Single(store.Arrivals.All);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(-500)]
    [InlineData(-5_000)]
    public async Task Append_TheClockWasSet_IsFollowed(int movedMs)
    {
        var time = new ManualTime();
        await using TestStore store = TestStore.Open(TestStore.Options(_folder.Path), time: time);
        long before = store.Append("before").StoreTimestampMs;
        time.Advance(TimeSpan.FromMilliseconds(movedMs));
        Assert.Equal(before + movedMs, store.Append("behind").StoreTimestampMs);
    }

    [Theory]
    [InlineData(FlushDiskType.AsyncFlush)]
    [InlineData(FlushDiskType.SyncFlush)]
    public async Task Append_ProcessDiesBeforeTheFlush_IsThere(FlushDiskType flush)
    {
        // No thread runs that could flush: what the files have is what a process leaves that is killed.
        StoreOptions options = TestStore.Options(_folder.Path) with { FlushDiskType = flush };
        await using TestStore store = TestStore.Open(options, start: false);
        store.Append("at once");
        Assert.Contains("at once", LogText(), StringComparison.Ordinal);
        store.AppendAnnouncedLater("later");
        Assert.DoesNotContain("later", LogText(), StringComparison.Ordinal);
        store.Store.FlushAppended();
        Assert.Equal(flush == FlushDiskType.AsyncFlush, LogText().Contains("later", StringComparison.Ordinal));
        store.Store.AnnounceAppended();
        Assert.Contains("later", LogText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Append_AnnouncedLater_IsReadInOrderThroughFilesAndFullBuffers()
    {
        // Many times what fits into memory at a time, and into a file.
        const int Messages = 3_000;
        List<string> expected = [.. Enumerable.Range(0, Messages).Select(i => $"{i}-{new string('x', i % 500)}")];
        await using (TestStore store = TestStore.Open(TestStore.Options(_folder.Path)))
        {
            foreach (string body in expected)
            {
                Assert.True(store.AppendAnnouncedLater(body).IsOk);
            }

            store.Store.AnnounceAppended();
            store.WaitForDispatch();
            Assert.Equal(expected, store.ReadBodies());
        }

        await using TestStore again = TestStore.Open(TestStore.Options(_folder.Path));
        Assert.Equal(expected, again.ReadBodies());
    }

    [Fact]
    public async Task Append_RecordsLargerThanTheBuffer_AreReadAmongOthers()
    {
        StoreOptions options = TestStore.Options(_folder.Path) with { CommitLogFileBytes = 4 << 20, MaxMessageBytes = 2 << 20 };
        int[] lengths = [10, 100_000, 10, 200_000, 10, 1 << 20, 10, 300_000, 100_000, 10];
        string[] bodies = [.. lengths.Select((length, i) => new string((char)('a' + i), length))];
        await using TestStore store = TestStore.Open(options);
        foreach (string body in bodies)
        {
            Assert.True(store.AppendAnnouncedLater(body).IsOk);
        }

        store.Store.AnnounceAppended();
        store.WaitForDispatch();
        Assert.Equal(bodies, store.ReadBodies());
    }

    [Fact]
    public async Task Append_FieldsOfTheMessage_AreStored()
    {
        await using TestStore store = TestStore.Open(TestStore.Options(_folder.Path));
        MessageHost v6 = MessageHost.From(System.Net.IPAddress.IPv6Loopback, 77);
        AppendResult result = store.Store.Append(
            store.Store.GetQueue("T", 7),
            new MessageAppend
            {
                Body = new ReadOnlySequence<byte>("body"u8.ToArray()),
                Properties = "TAGS\u0001a\u0002KEYS\u0001k1 k2\u0002"u8,
                Flag = 9,
                SysFlag = MessageSysFlag.MultiTags,
                BornTimestampMs = 123,
                BornHost = v6,
                StoreHost = TestStore.Host,
                ReconsumeTimes = 3,
                PreparedTransactionOffset = 44,
            });
        store.WaitForDispatch();

        ReceivedMessage message = Assert.Single(store.ReadAll("T", 7));
        Assert.Equal(result.PhysicalOffset, message.PhysicalOffset);
        Assert.Equal(result.Bytes, message.StoreSize);
        Assert.Equal(result.StoreTimestampMs, message.StoreTimestampMs);
        Assert.Equal(9, message.Flag);
        Assert.Equal(MessageSysFlag.MultiTags | MessageSysFlag.BornHostV6, message.SysFlag);
        Assert.Equal(123, message.BornTimestampMs);
        Assert.Equal(v6, message.BornHost);
        Assert.Equal(TestStore.Host, message.StoreHost);
        Assert.Equal(3, message.ReconsumeTimes);
        Assert.Equal(44, message.PreparedTransactionOffset);
        Assert.Equal("a", message.Tags);
        Assert.Equal(("T", 7, 0L, TagsCode.Of("a"u8)), Assert.Single(store.Arrivals.All));
    }

    [Fact]
    public async Task Append_FileIsFull_FillsItAsRocketMQDoesAndGoesOnInTheNext()
    {
        StoreOptions options = TestStore.Options(_folder.Path);
        await using TestStore store = TestStore.Open(options);
        AppendResult last = default;
        int count = 0;
        while (last.PhysicalOffset < options.CommitLogFileBytes)
        {
            last = store.Append(TestStore.Body(count++, 1_000));
        }

        store.WaitForDispatch();
        Assert.Equal(options.CommitLogFileBytes, last.PhysicalOffset);
        byte[] first = await ReadSharedAsync(_folder["commitlog", "00000000000000000000"]);
        Assert.Equal(options.CommitLogFileBytes, first.Length);
        int filler = 0;
        while (StoredMessage.Read(first.AsSpan(filler), out StoredMessage message) == StoredMessageStatus.Message)
        {
            filler += message.TotalSize;
        }

        Assert.Equal(StoredMessageStatus.Blank, StoredMessage.Read(first.AsSpan(filler), out _));
        Assert.Equal(first.Length - filler, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(first.AsSpan(filler)));
        Assert.Equal(count, store.ReadAll().Count);
    }

    [Fact]
    public async Task Append_TransactionalMessages_OnlyCommittedOnesEnterTheQueue()
    {
        await using TestStore store = TestStore.Open(TestStore.Options(_folder.Path));
        Assert.Equal(0, store.Append("a").QueueOffset);
        Assert.Equal(0, store.Append("half", sysFlag: MessageSysFlag.TransactionPrepared).QueueOffset);
        Assert.Equal(0, store.Append("rolled back", sysFlag: MessageSysFlag.TransactionRollback).QueueOffset);
        Assert.Equal(1, store.Append("b", sysFlag: MessageSysFlag.TransactionCommit).QueueOffset);
        store.WaitForDispatch();
        Assert.Equal(["a", "b"], store.ReadBodies());
    }

    [Fact]
    public async Task Append_TooLarge_IsRefusedAndNothingIsWritten()
    {
        StoreOptions options = TestStore.Options(_folder.Path);
        await using TestStore store = TestStore.Open(options);
        Assert.Equal(AppendStatus.MessageIllegal, store.Append(new byte[options.MaxMessageBytes + 1]).Status);
        Assert.Equal(AppendStatus.PropertiesSizeExceeded, store.Append("x", properties: new string('p', 32_768)).Status);
        Assert.Equal(0, store.Store.MaxPhysicalOffset);
        Assert.Equal(AppendStatus.Ok, store.Append(new byte[options.MaxMessageBytes]).Status);
        Assert.Equal(2, store.Store.Statistics.PutFailedTimes);
        Assert.Equal(1, store.Store.Statistics.PutTimesTotal);
    }

    [Fact]
    public async Task AppendBatch_Messages_GetConsecutiveOffsetsAndJoinedProperties()
    {
        await using TestStore store = TestStore.Open(TestStore.Options(_folder.Path));
        store.Append("before");
        var body = new ArrayBufferWriter<byte>();
        BatchBodyWriter.Write(body, 1, "one"u8, "A\u00011"u8);
        BatchBodyWriter.Write(body, 2, "two"u8, default);
        BatchBodyWriter.Write(body, 3, "three"u8, "A\u00013\u0002"u8);
        var offsets = new List<long>();
        var common = new MessageAppend { Properties = "C\u0001x\u0002"u8, BornHost = TestStore.Host, StoreHost = TestStore.Host };
        AppendBatchResult result = store.Store.AppendBatch(
            store.Store.GetQueue(TestStore.Topic, 0), common, new ReadOnlySequence<byte>(body.WrittenMemory), offsets);

        Assert.True(result.IsOk);
        Assert.Equal(1, result.QueueOffset);
        Assert.Equal(3, result.Count);
        Assert.Equal(result.PhysicalOffset, offsets[0]);
        store.WaitForDispatch();
        List<ReceivedMessage> messages = store.ReadAll();
        Assert.Equal([0L, 1, 2, 3], messages.Select(message => message.QueueOffset));
        Assert.Equal(offsets, messages.Skip(1).Select(message => message.PhysicalOffset));
        Assert.Equal(result.EndOffset, store.Store.MaxPhysicalOffset);
        Assert.Equal([0, 1, 2, 3], messages.Select(message => message.Flag));
        Assert.Equal("1", messages[1].Properties["A"]);
        Assert.All(messages.Skip(1), message => Assert.Equal("x", message.Properties["C"]));
    }

    [Fact]
    public async Task AppendBatch_ThatDoesNotAddUp_StoresNothing()
    {
        await using TestStore store = TestStore.Open(TestStore.Options(_folder.Path));
        var body = new ArrayBufferWriter<byte>();
        BatchBodyWriter.Write(body, 1, "one"u8, default);
        LogicQueue queue = store.Store.GetQueue(TestStore.Topic, 0);
        var common = new MessageAppend { BornHost = TestStore.Host, StoreHost = TestStore.Host };
        for (int length = 0; length < body.WrittenCount; length++)
        {
            AppendBatchResult result = store.Store.AppendBatch(
                queue, common, new ReadOnlySequence<byte>(body.WrittenMemory[..length]));
            Assert.Equal(AppendStatus.MessageIllegal, result.Status);
        }

        Assert.Equal(0, store.Store.MaxPhysicalOffset);
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a\0b")]
    public async Task GetQueue_TopicThatCannotBeADirectory_IsRefused(string topic)
    {
        await using TestStore store = TestStore.Open(TestStore.Options(_folder.Path));
        Assert.Throws<ArgumentException>(() => store.Store.GetQueue(topic, 0));
        Assert.Throws<ArgumentException>(() => store.Store.GetQueue("ok", -1));
        Assert.Throws<ArgumentException>(() => store.Store.GetQueue("ok", QueueTable.MaxQueueId + 1));
        Assert.Null(store.Store.FindQueue(topic, 0));
    }

    [Fact]
    public async Task TryReadMessage_AnyOffset_OnlyRecordsAreRead()
    {
        await using TestStore store = TestStore.Open(TestStore.Options(_folder.Path));
        var starts = new HashSet<long>();
        for (int i = 0; i < 20; i++)
        {
            starts.Add(store.Append(TestStore.Body(i, i * 10)).PhysicalOffset);
        }

        using var slices = new MessageSlices();
        for (long offset = -10; offset < store.Store.MaxPhysicalOffset + 100; offset++)
        {
            Assert.Equal(starts.Contains(offset), store.Store.TryReadMessage(offset, slices));
        }

        Assert.False(store.Store.TryReadMessage(long.MaxValue, slices));
    }

    [Fact]
    public async Task QueryByKey_Keys_FindsNewestFirst()
    {
        await using TestStore store = TestStore.Open(TestStore.Options(_folder.Path));
        long first = store.Append("1", properties: "KEYS\u0001red blue\u0002UNIQ_KEY\u0001u1\u0002").PhysicalOffset;
        long second = store.Append("2", properties: "KEYS\u0001blue\u0002UNIQ_KEY\u0001u2\u0002").PhysicalOffset;
        store.Append("3", topic: "Other", properties: "KEYS\u0001blue\u0002");
        store.WaitForDispatch();

        Assert.Equal([second, first], store.Store.QueryByKey(TestStore.Topic, "blue", 10, 0, long.MaxValue).PhysicalOffsets);
        Assert.Equal([second], store.Store.QueryByKey(TestStore.Topic, "blue", 1, 0, long.MaxValue).PhysicalOffsets);
        Assert.Equal([first], store.Store.QueryByKey(TestStore.Topic, "red", 10, 0, long.MaxValue).PhysicalOffsets);
        Assert.Equal([first], store.Store.QueryByKey(TestStore.Topic, "u1", 10, 0, long.MaxValue).PhysicalOffsets);
        Assert.Empty(store.Store.QueryByKey(TestStore.Topic, "green", 10, 0, long.MaxValue).PhysicalOffsets);
        Assert.Empty(store.Store.QueryByKey(TestStore.Topic, "red", 10, 0, 1_000).PhysicalOffsets);
    }

    [Fact]
    public async Task QueryByKey_SeveralIndexFiles_AllAreSearchedAndReopened()
    {
        StoreOptions options = TestStore.Options(_folder.Path) with { MaxIndexEntries = 100, MaxHashSlots = 10 };
        await using (TestStore store = TestStore.Open(options))
        {
            for (int i = 0; i < 1_000; i++)
            {
                store.Append("x", properties: $"UNIQ_KEY\u0001u{i}\u0002");
            }

            store.WaitForDispatch();
            AssertAll(store);
        }

        Assert.Equal(11, Directory.GetFiles(_folder["index"]).Length);
        await using TestStore again = TestStore.Open(options);
        AssertAll(again);

        static void AssertAll(TestStore store)
        {
            for (int i = 0; i < 1_000; i++)
            {
                Assert.Single(store.Store.QueryByKey(TestStore.Topic, $"u{i}", 10, 0, long.MaxValue).PhysicalOffsets);
            }
        }
    }

    [Fact]
    public async Task DeleteTopic_Queues_AreGoneAndBeginAnew()
    {
        StoreOptions options = TestStore.Options(_folder.Path);
        await using (TestStore store = TestStore.Open(options))
        {
            store.Append("old");
            store.Append("other", topic: "Other");
            Assert.True(store.Store.DeleteTopic(TestStore.Topic));
            Assert.False(store.Store.DeleteTopic(TestStore.Topic));
            Assert.Null(store.Store.FindQueue(TestStore.Topic, 0));
            Assert.Equal(0, store.Append("new").QueueOffset);
            store.WaitForDispatch();
            Assert.Equal(["new"], store.ReadBodies());
        }

        await using TestStore again = TestStore.Open(options);
        Assert.Equal(["new"], again.ReadBodies());
        Assert.Equal(["other"], again.ReadBodies("Other"));
    }

    [Fact]
    public async Task Open_StoreInUse_IsRefused()
    {
        StoreOptions options = TestStore.Options(_folder.Path);
        await using TestStore store = TestStore.Open(options);
        var e = Assert.Throws<IOException>(() => TestStore.Open(options));
        Assert.Equal($"the store {_folder.Path} is in use by another process", e.Message);
    }

    [Fact]
    public async Task Open_OtherFileSize_IsRefusedWithTheKeysName()
    {
        StoreOptions options = TestStore.Options(_folder.Path);
        await using (TestStore store = TestStore.Open(options))
        {
            store.Append("x");
        }

        var e = Assert.Throws<InvalidDataException>(
            () => TestStore.Open(options with { CommitLogFileBytes = options.CommitLogFileBytes / 2 }));
        Assert.Contains("mappedFileSizeCommitLog", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task Open_LargerFileSize_IsRefusedAndNothingIsExtended(bool clean, bool sizeIsKnown)
    {
        StoreOptions options = TestStore.Options(_folder["source"]) with { CheckPointIntervalMs = int.MaxValue };
        string root = _folder["source"];
        await using (TestStore store = TestStore.Open(options))
        {
            store.Append("x");
            store.WaitForDispatch();
            if (!clean)
            {
                root = Folders.Copy(root, _folder["killed"]);
            }
        }

        if (!sizeIsKnown)
        {
            // As RocketMQ would leave it.
            File.Delete(Path.Combine(root, "graymq.progress"));
        }

        options = options with { RootDirectory = root };
        var log = new FileInfo(Path.Combine(root, "commitlog", "00000000000000000000"));
        var e = Assert.Throws<InvalidDataException>(() => TestStore.Open(options with { CommitLogFileBytes = 16 * options.CommitLogFileBytes }));
        Assert.Contains($"has files of {options.CommitLogFileBytes} bytes; mappedFileSizeCommitLog", e.Message, StringComparison.Ordinal);
        Assert.Equal(options.CommitLogFileBytes, log.Length);

        await using TestStore again = TestStore.Open(options);
        Assert.Equal(["x"], again.ReadBodies());
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(2, false)]
    [InlineData(-2, true)]
    [InlineData(-2, false)]
    public async Task Open_OtherQueueFileSize_IsRefusedAndNoQueueIsPutAway(int factor, bool sizeIsKnown)
    {
        StoreOptions options = TestStore.Options(_folder.Path);
        await using (TestStore store = TestStore.Open(options))
        {
            store.Append("x");
            store.Append("y", queueId: 1);
        }

        if (!sizeIsKnown)
        {
            File.Delete(_folder["graymq.progress"]);
        }

        int other = factor > 0 ? options.ConsumeQueueFileBytes * factor : options.ConsumeQueueFileBytes / -factor;
        var e = Assert.Throws<InvalidDataException>(() => TestStore.Open(options with { ConsumeQueueFileBytes = other }));
        Assert.Contains($"have files of {options.ConsumeQueueFileBytes} bytes; mappedFileSizeConsumeQueue", e.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["quarantine"]));

        await using TestStore again = TestStore.Open(options);
        Assert.Equal(["x"], again.ReadBodies());
        Assert.Equal(["y"], again.ReadBodies(queueId: 1));
    }

    [Fact]
    public async Task Open_OnlyLogFileCutOffAtAPage_StartsWithWhatIsWholeIfTheSizeIsKnown()
    {
        StoreOptions options = TestStore.Options(_folder["source"]);
        string root;
        await using (TestStore store = TestStore.Open(options))
        {
            store.Append("x");
            store.WaitForDispatch();
            root = Folders.Copy(options.RootDirectory, _folder["killed"]);
        }

        using (FileStream file = File.OpenWrite(Path.Combine(root, "commitlog", "00000000000000000000")))
        {
            file.SetLength(4096);
        }

        await using TestStore again = TestStore.Open(options with { RootDirectory = root });
        Assert.Equal(["x"], again.ReadBodies());
    }

    [Fact]
    public void Validate_SettingsThatCannotBe_AreAllNamed()
    {
        var e = Assert.Throws<ArgumentException>(() => new StoreOptions
        {
            RootDirectory = " ",
            CommitLogFileBytes = 1,
            DeleteWhen = "25",
            MaxIndexEntries = int.MaxValue,
        }.Validate());
        foreach (string key in new[] { "storePathRootDir", "mappedFileSizeCommitLog", "deleteWhen", "maxIndexNum" })
        {
            Assert.Contains(key, e.Message, StringComparison.Ordinal);
        }

        new StoreOptions { RootDirectory = "/x" }.Validate();
    }

    [Fact]
    public async Task GetRuntimeInfo_AfterWork_HasRocketMQsFigures()
    {
        await using TestStore store = TestStore.Open(TestStore.Options(_folder.Path));
        store.Append("12345");
        store.WaitForDispatch();
        store.ReadAll();
        IDictionary<string, string> info = store.Store.GetRuntimeInfo();
        Assert.Equal("1", info["putMessageTimesTotal"]);
        Assert.Equal(info["commitLogMaxOffset"], info["putMessageSizeTotal"]);
        Assert.Equal("0", info["commitLogMinOffset"]);
        Assert.Equal("0", info["dispatchBehindBytes"]);
        Assert.StartsWith("[<=0ms]:", info["putMessageDistributeTime"], StringComparison.Ordinal);
    }

    private static async Task<byte[]> ReadSharedAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        byte[] bytes = new byte[file.Length];
        await file.ReadExactlyAsync(bytes);
        return bytes;
    }

    private string LogText() =>
        Encoding.Latin1.GetString(FaultyFileSystem.ReadShared(Path.Combine(_folder.Path, "commitlog", $"{0:D20}")));
}
