using GrayMQ.Store.RocksDbSharp;

namespace GrayMQ.Store.KeyValue;

/// <summary>A key-value store cannot be opened, read or written; the message names its path and the reason.</summary>
public sealed class KeyValueStoreException : IOException
{
    public KeyValueStoreException()
    {
    }

    public KeyValueStoreException(string message)
        : base(message)
    {
    }

    public KeyValueStoreException(string message, Exception inner)
        : base(message, inner)
    {
    }

    private KeyValueStoreException(string path, KeyValueFailure failure, string message, Exception inner)
        : base(message, inner)
    {
        Path = path;
        Failure = failure;
    }

    public string Path { get; } = "";

    public KeyValueFailure Failure { get; }

    internal static KeyValueStoreException From(string path, string operation, Exception error)
    {
        KeyValueFailure failure = Classify(error);
        string reason = failure switch
        {
            KeyValueFailure.Locked => "it is open already, by this or another process",
            KeyValueFailure.Corrupt => "its files are damaged",
            KeyValueFailure.DiskFull => "the disk is full",
            KeyValueFailure.InputOutput => "the operating system refused",
            _ => "",
        };
        string message = reason.Length == 0
            ? $"Cannot {operation} the key-value store {path}: {error.Message}"
            : $"Cannot {operation} the key-value store {path}: {reason} ({error.Message})";
        return new KeyValueStoreException(path, failure, message, error);
    }

    /// <summary>RocksDB tells statuses apart by the words its messages begin with (rocksdb::Status::ToString).</summary>
    private static KeyValueFailure Classify(Exception error) => error switch
    {
        DllNotFoundException => KeyValueFailure.LibraryMissing,
        UnauthorizedAccessException or IOException => KeyValueFailure.InputOutput,
        RocksDbException when Mentions(error, "No space left on device") => KeyValueFailure.DiskFull,
        RocksDbException when Mentions(error, "lock file") || Mentions(error, "lock hold by") => KeyValueFailure.Locked,
        RocksDbException when Begins(error, "Corruption") => KeyValueFailure.Corrupt,
        RocksDbException when Begins(error, "IO error") => KeyValueFailure.InputOutput,
        _ => KeyValueFailure.Other,
    };

    private static bool Mentions(Exception error, string words) =>
        error.Message.Contains(words, StringComparison.OrdinalIgnoreCase);

    private static bool Begins(Exception error, string words) =>
        error.Message.StartsWith(words, StringComparison.Ordinal);
}
