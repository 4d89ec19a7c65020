using System.Runtime.InteropServices;

namespace GrayMQ.Store.RocksDbSharp;

/// <summary>RocksDB refused or failed; the message is RocksDB's, which begins with its status ("Corruption: ").</summary>
internal sealed unsafe class RocksDbException : Exception
{
    public RocksDbException()
    {
    }

    public RocksDbException(string message)
        : base(message)
    {
    }

    public RocksDbException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>Throws what the C API wrote to an errptr, and frees it.</summary>
    internal static void ThrowIf(byte* error)
    {
        if (error is not null)
        {
            string message = Marshal.PtrToStringUTF8((nint)error) ?? "";
            Native.rocksdb_free(error);
            throw new RocksDbException(message);
        }
    }
}
