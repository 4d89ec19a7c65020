using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace GrayMQ.Store.RocksDbSharp;

/// <summary>
/// Finds the system's librocksdb. Distributions name it after its version (librocksdb.so.7.8), and only development
/// packages bring the name without one, so the known versions are tried. The functions bound here have been in the C API
/// since 7.0.
/// </summary>
internal static class RocksDbLibrary
{
    /// <summary>The name that <see cref="Native"/> imports from; never a file's name.</summary>
    internal const string Name = "graymq-rocksdb";

    private const int OldestMajorVersion = 7;
    private const int NewestMajorVersion = 11;
    private const int HighestMinorVersion = 20;

    private static readonly Lazy<nint> Handle = new(() => Load(Candidates()));

    /// <summary>Loads the library unless it is loaded.</summary>
    /// <exception cref="DllNotFoundException">There is none; the message names the package to install.</exception>
    public static void EnsureLoaded() => _ = Handle.Value;

    internal static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath) =>
        name == Name ? Handle.Value : 0;

    internal static nint Load(IEnumerable<string> candidates)
    {
        foreach (string candidate in candidates)
        {
            if (NativeLibrary.TryLoad(candidate, typeof(RocksDbLibrary).Assembly, null, out nint handle))
            {
                return handle;
            }
        }
        throw new DllNotFoundException(
            "The RocksDB library (librocksdb.so, or librocksdb.so with a version from 7 to 11) is not installed. Install " +
            "librocksdb7.8 on Debian 12, librocksdb9.10 on Debian 13, librocksdb8.9 on Ubuntu 24.04, or librocksdb-dev " +
            "where the version is not known.");
    }

    internal static IEnumerable<string> Candidates()
    {
        yield return "librocksdb.so";
        yield return "librocksdb.so.7.8";
        for (int major = NewestMajorVersion; major >= OldestMajorVersion; major--)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"librocksdb.so.{major}");
            for (int minor = HighestMinorVersion; minor >= 0; minor--)
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"librocksdb.so.{major}.{minor}");
            }
        }
    }
}
