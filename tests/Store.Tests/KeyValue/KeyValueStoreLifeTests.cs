using GrayMQ.Store.KeyValue;
using GrayMQ.Store.RocksDbSharp;

namespace GrayMQ.Store.Tests.KeyValue;

public sealed class KeyValueStoreLifeTests : IDisposable
{
    private readonly StoreFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_Again_HasWhatWasWritten()
    {
        using (KeyValueStore store = KeyValueStore.Open(_folder.Path, "topics"))
        {
            store.Put(store.GetFamily("topics"), "a"u8, "1"u8);
        }

        using KeyValueStore again = KeyValueStore.Open(_folder.Path, "topics");
        Assert.Equal("1"u8, again.Get(again.GetFamily("topics"), "a"u8)!);
    }

    [Fact]
    public void Open_WithOtherFamilies_AddsNewOnesAndKeepsOldOnes()
    {
        using (KeyValueStore store = KeyValueStore.Open(_folder.Path, "topics", "timers"))
        {
            store.Put(store.GetFamily("timers"), "a"u8, "1"u8);
        }
        using (KeyValueStore earlierVersion = KeyValueStore.Open(_folder.Path, "topics", "groups"))
        {
            Assert.Throws<ArgumentException>(() => earlierVersion.GetFamily("timers"));
        }

        using KeyValueStore again = KeyValueStore.Open(_folder.Path, "topics", "timers", "groups");
        Assert.Equal("1"u8, again.Get(again.GetFamily("timers"), "a"u8)!);
    }

    [Fact]
    public void Open_DirectoryThatIsOpen_SaysSoAndNamesIt()
    {
        using KeyValueStore store = KeyValueStore.Open(_folder.Path, "topics");

        var error = Assert.Throws<KeyValueStoreException>(() => KeyValueStore.Open(_folder.Path, "topics"));

        Assert.Equal(KeyValueFailure.Locked, error.Failure);
        Assert.Equal(_folder.Path, error.Path);
        Assert.StartsWith(
            $"Cannot open the key-value store {_folder.Path}: it is open already, by this or another process (",
            error.Message, StringComparison.Ordinal);
        store.Put(store.GetFamily("topics"), "a"u8, "1"u8);
    }

    [Theory]
    [InlineData("CURRENT")]
    [InlineData("MANIFEST-*")]
    public void Open_DamagedFile_SaysSoAndNamesIt(string pattern)
    {
        using (KeyValueStore store = KeyValueStore.Open(_folder.Path, "topics"))
        {
            store.Put(store.GetFamily("topics"), "a"u8, "1"u8);
        }
        foreach (string file in Directory.GetFiles(_folder.Path, pattern))
        {
            File.WriteAllBytes(file, [.. Enumerable.Repeat((byte)0x5A, 200)]);
        }

        var error = Assert.Throws<KeyValueStoreException>(() => KeyValueStore.Open(_folder.Path, "topics"));

        Assert.Equal(KeyValueFailure.Corrupt, error.Failure);
        Assert.Contains($"{_folder.Path}: its files are damaged (Corruption", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Scan_DamagedTableFile_ThrowsInsteadOfEnding()
    {
        using (KeyValueStore store = KeyValueStore.Open(_folder.Path, "topics"))
        {
            KeyFamily topics = store.GetFamily("topics");
            for (int i = 0; i < 10_000; i++)
            {
                store.Put(topics, BitConverter.GetBytes(i), new byte[100]);
            }
            store.Compact(topics);
        }
        string table = Assert.Single(Directory.GetFiles(_folder.Path, "*.sst"));
        byte[] bytes = File.ReadAllBytes(table);
        bytes.AsSpan(bytes.Length / 4, 100_000).Fill(0x5A);
        File.WriteAllBytes(table, bytes);

        using KeyValueStore damaged = KeyValueStore.Open(_folder.Path, "topics");
        int read = 0;
        var error = Assert.Throws<KeyValueStoreException>(() =>
        {
            foreach (KeyValueEntry entry in damaged.Scan(damaged.GetFamily("topics")))
            {
                read++;
            }
        });

        Assert.Equal(KeyValueFailure.Corrupt, error.Failure);
        Assert.StartsWith($"Cannot read the key-value store {_folder.Path}", error.Message, StringComparison.Ordinal);
        Assert.InRange(read, 1, 9_999);
    }

    [Fact]
    public void Open_TornLogTail_HasAllBeforeIt()
    {
        using (KeyValueStore store = KeyValueStore.Open(_folder.Path, "topics"))
        {
            for (byte i = 0; i < 100; i++)
            {
                store.Put(store.GetFamily("topics"), [i], new byte[50]);
            }
        }
        string log = Directory.GetFiles(_folder.Path, "*.log").MaxBy(file => new FileInfo(file).Length)!;
        using (FileStream file = File.OpenWrite(log))
        {
            file.SetLength(file.Length - 20);
        }

        using KeyValueStore again = KeyValueStore.Open(_folder.Path, "topics");
        KeyFamily topics = again.GetFamily("topics");
        for (byte i = 0; i < 99; i++)
        {
            Assert.True(again.Contains(topics, [i]));
        }
        Assert.False(again.Contains(topics, [99]));
    }

    [Fact]
    public void Open_PathThatIsAFile_NamesItAndTheReason()
    {
        File.WriteAllText(_folder.Path, "");

        var error = Assert.Throws<KeyValueStoreException>(() => KeyValueStore.Open(_folder.Path, "topics"));

        Assert.Equal(KeyValueFailure.InputOutput, error.Failure);
        Assert.Contains(_folder.Path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NoLibrary_NamesThePackageToInstall()
    {
        var error = Assert.Throws<DllNotFoundException>(() => RocksDbLibrary.Load(["librocksdb-nowhere.so.1"]));

        Assert.Contains("librocksdb7.8 on Debian 12", error.Message, StringComparison.Ordinal);
        Assert.Contains("librocksdb.so.7.8", RocksDbLibrary.Candidates());
        Assert.Contains("librocksdb.so.10.2", RocksDbLibrary.Candidates());
    }

    [Fact]
    public void Dispose_WithOpenScanAndBatch_ClosesAfterThem()
    {
        KeyValueStore store = KeyValueStore.Open(_folder.Path, "topics");
        KeyFamily topics = store.GetFamily("topics");
        store.Put(topics, "a"u8, "1"u8);
        KeyValueScan scan = store.Scan(topics);
        KeyValueBatch batch = store.NewBatch();
        batch.Put(topics, "b"u8, "1"u8);

        store.Dispose();
        store.Dispose();

        Assert.True(scan.MoveNext());
        Assert.Equal("1"u8, scan.Value);
        Assert.Throws<ObjectDisposedException>(() => store.Get(topics, "a"u8));
        Assert.Throws<ObjectDisposedException>(() => store.Put(topics, "a"u8, "2"u8));
        Assert.Throws<ObjectDisposedException>(() => store.Write(batch));
        Assert.Throws<ObjectDisposedException>(() => batch.Put(topics, "a"u8, "2"u8));
        Assert.Equal(
            KeyValueFailure.Locked,
            Assert.Throws<KeyValueStoreException>(() => KeyValueStore.Open(_folder.Path, "topics")).Failure);

        scan.Dispose();
        batch.Dispose();
        KeyValueStore.Open(_folder.Path, "topics").Dispose();
    }

    [Fact]
    public async Task Dispose_WhileThreadsReadAndWrite_EndsThemCleanly()
    {
        for (int round = 0; round < 10; round++)
        {
            KeyValueStore store = KeyValueStore.Open(_folder.Path, "topics");
            KeyFamily topics = store.GetFamily("topics");
            using var running = new CountdownEvent(4);
            Task[] workers = [.. Enumerable.Range(0, 4).Select(id => Task.Factory.StartNew(
                () => Assert.Throws<ObjectDisposedException>(() => WorkForever(store, topics, (byte)id, running)),
                TaskCreationOptions.LongRunning))];
            Assert.True(running.Wait(TimeSpan.FromSeconds(30)));

            store.Dispose();

            await Task.WhenAll(workers).WaitAsync(TimeSpan.FromSeconds(30));
            KeyValueStore.Open(_folder.Path, "topics").Dispose();
        }
    }

    private static void WorkForever(KeyValueStore store, KeyFamily topics, byte id, CountdownEvent running)
    {
        using KeyValueBatch batch = store.NewBatch();
        for (int i = 0; ; i++)
        {
            byte[] key = [id, (byte)i];
            store.Put(topics, key, key);
            Assert.Equal(key, store.Get(topics, key));
            batch.Clear();
            batch.Delete(topics, key);
            store.Write(batch);
            foreach (KeyValueEntry entry in store.ScanPrefix(topics, [id]))
            {
                Assert.Equal(id, entry.Key[0]);
            }
            if (i == 10)
            {
                running.Signal();
            }
        }
    }

    [Theory]
    [InlineData("a", "a")]
    [InlineData("a", " ")]
    public void Open_BadFamilyNames_AreRefused(string first, string second)
    {
        Assert.Throws<ArgumentException>(() => KeyValueStore.Open(_folder.Path, first, second));
    }
}
