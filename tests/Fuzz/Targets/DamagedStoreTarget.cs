using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using GrayMQ.Store;

namespace GrayMQ.Fuzz.Targets;

/// <summary>Stores whose files were damaged, by lists of <see cref="FileDamage"/>.</summary>
internal abstract class DamagedStoreTarget : FuzzTarget
{
    private const int MaxDamages = 8;
    private static readonly TimeSpan DispatchTimeout = TimeSpan.FromSeconds(10);

    public override bool MeasuresAllocation => false;

    /// <summary>Files are mapped into memory: a mistake there ends the process.</summary>
    public override bool MayEndTheProcess => true;

    public override TimeSpan MaxDuration => TimeSpan.FromSeconds(15);

    public override bool Run(byte[] input)
    {
        if (FilesOf(input) is not { } files)
        {
            return false;
        }

        DirectoryInfo folder = FileDamage.CreateFolder();
        try
        {
            FileDamage.Write(files, folder.FullName);
            RunAsync(folder.FullName).GetAwaiter().GetResult();
            return true;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>The store's files, damaged as the input says; null for an input that says nothing.</summary>
    protected abstract Dictionary<string, byte[]>? FilesOf(byte[] input);

    /// <summary>Opens the store, and checks what it does.</summary>
    protected abstract Task RunAsync(string root);

    /// <summary>Options for small files, that come to no limit of the disk; the files' sizes are each target's.</summary>
    protected static StoreOptions OptionsFor(string root) => new()
    {
        RootDirectory = root,
        FlushDiskType = FlushDiskType.AsyncFlush,
        DiskMaxUsedSpaceRatio = 100,
        DiskSpaceCleanForciblyRatio = 100,
        DiskSpaceWarningLevelRatio = 100,
    };

    /// <param name="nameOf">Which file is damaged, by what a damage says of it.</param>
    protected static void Damage(Dictionary<string, byte[]> files, ReadOnlySpan<byte> damages, Func<ushort, string> nameOf)
    {
        for (int at = 0; at + FileDamage.Bytes <= damages.Length && at < MaxDamages * FileDamage.Bytes; at += FileDamage.Bytes)
        {
            ReadOnlySpan<byte> damage = damages.Slice(at, FileDamage.Bytes);
            string name = nameOf(BinaryPrimitives.ReadUInt16BigEndian(damage[1..]));
            if (files.TryGetValue(name, out byte[]? content) && FileDamage.Apply(content, damage) is { } damaged)
            {
                files[name] = damaged;
            }
            else
            {
                files.Remove(name);
            }
        }
    }

    protected static void WaitForDispatch(MessageStore store)
    {
        long started = Stopwatch.GetTimestamp();
        var wait = default(SpinWait);
        while (store.DispatchedOffset < store.MaxPhysicalOffset)
        {
            FindingException.Unless(
                Stopwatch.GetElapsedTime(started) < DispatchTimeout,
                string.Create(CultureInfo.InvariantCulture, $"the dispatcher stands at {store.DispatchedOffset} of {store.MaxPhysicalOffset}"));
            wait.SpinOnce();
        }
    }
}
