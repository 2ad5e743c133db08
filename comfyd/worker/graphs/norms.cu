// GroupNorm, and the addition of a convolution's bias, with the bits of torch's own kernels, spread over the whole GPU.
// Every operation is written with its rounding, so that nothing depends on what a compiler contracts.

namespace {

typedef unsigned short Word;
typedef unsigned int Index;

struct Half {
    typedef Word Bits;
    static __device__ float read(Bits bits) { float value; asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits)); return value; }
    static __device__ Bits write(float value) { Bits bits; asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value)); return bits; }
};

struct Brain {
    typedef Word Bits;
    static __device__ float read(Bits bits) { return __uint_as_float((Index)bits << 16); }
    static __device__ Bits write(float value) { Bits bits; asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(value)); return bits; }
};

struct Single {
    typedef float Bits;
    static __device__ float read(Bits bits) { return bits; }
    static __device__ Bits write(float value) { return value; }
};

const Index LANES = 512;   // torch gives each row this many threads, and every one of them its own sequence
const Index WARPS = 4;     // of a block: one for each of a multiprocessor's schedulers
const Index STAGES = 5;    // pieces of 2 KiB for each warp, one in use and the others on their way
const Index UNITS = 128;   // of 16 bytes, in a stage

struct Moments { float mean, m2, count; };

__device__ Moments combine(Moments a, Moments b) {
    if (a.count == 0) return b;
    if (b.count == 0) return a;
    float delta = __fsub_rn(b.mean, a.mean);
    float count = __fadd_rn(a.count, b.count);
    float share = __fdiv_rn(b.count, count);
    float square = __fmul_rn(__fmul_rn(delta, delta), a.count);
    return {__fmaf_rn(delta, share, a.mean), __fmaf_rn(square, share, __fadd_rn(a.m2, b.m2)), count};
}

__device__ Moments reduced(Moments own) {
    #pragma unroll 1
    for (int offset = 16; offset > 0; offset >>= 1) {
        Moments other = {__shfl_down_sync(~0u, own.mean, offset), __shfl_down_sync(~0u, own.m2, offset),
                         __shfl_down_sync(~0u, own.count, offset)};
        own = combine(own, other);
    }
    return own;
}

// One element after the other as torch does it, with a true division.
template <class T>
__device__ void plain(const typename T::Bits* data, Index count, float done, float& mean, float& m2) {
    #pragma unroll 1
    for (Index step = 0; step < count; ++step) {
        float x = T::read(data[step * 32]);
        done = __fadd_rn(done, 1.0f);
        float delta = __fsub_rn(x, mean);
        mean = __fadd_rn(mean, __fdiv_rn(delta, done));
        m2 = __fmaf_rn(delta, __fsub_rn(x, mean), m2);
    }
}

// The same with delta / n as fma(delta, high, delta * low), where high + low is 1 / n to 46 bits. A quotient of a float by a
// whole number below 2^20 is never closer to the middle of two floats than 2^-45 of it, so this rounds as a division does,
// as long as nothing underflows or overflows; where something may have, the steps are done again in the plain way.
template <class T, int COUNT>
__device__ void steps(const typename T::Bits* data, const float2* inverse, float done, float& mean, float& m2) {
    float mean_now = mean, m2_now = m2;
    Index smallest = ~0u;
    #pragma unroll
    for (int step = 0; step < COUNT; ++step) {
        float x = T::read(data[step * 32]);
        float delta = __fsub_rn(x, mean_now);
        mean_now = __fadd_rn(mean_now, __fmaf_rn(delta, inverse[step].x, __fmul_rn(delta, inverse[step].y)));
        m2_now = __fmaf_rn(delta, __fsub_rn(x, mean_now), m2_now);
        smallest = min(smallest, 2 * __float_as_uint(delta) - 1);  // zero, which is harmless, becomes the greatest
    }
    if (smallest < 2 * 0x1e3ce508u || !(fabsf(mean_now) <= 3e38f)) {  // 1e-20
        plain<T>(data, COUNT, done, mean, m2);
    } else {
        mean = mean_now;
        m2 = m2_now;
    }
}

__device__ void fetch(Index to, const char* from) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
}

// Grid (rows, 4): what 32 neighbouring lanes of a row's 512 have found, for each of its 16 warps. n: elements of a row.
template <class T>
__device__ void moments(const typename T::Bits* input, const float2* inverses, float4* found, Index n) {
    typedef typename T::Bits Bits;
    const Index PER_UNIT = 16 / sizeof(Bits), UNITS_PER_STEP = 32 / PER_UNIT, STEPS = UNITS / UNITS_PER_STEP;
    const Index APART = 32 / UNITS_PER_STEP * LANES;  // elements between two units that one lane loads
    __shared__ uint4 rings[WARPS][STAGES][UNITS];
    __shared__ float2 tables[WARPS][STAGES][STEPS];
    const Index lane = threadIdx.x % 32, warp = threadIdx.x / 32, column = (blockIdx.y * WARPS + warp) * 32;
    const Index mine = n / LANES + (column + lane < n % LANES), steps_here = n / LANES + (column < n % LANES);
    const Index start = lane / UNITS_PER_STEP * LANES + column + lane % UNITS_PER_STEP * PER_UNIT;
    const char* from = (const char*)(input + (size_t)blockIdx.x * n + start);
    const char* table_from = (const char*)(inverses + lane * 2);
    const Index ring = (Index)__cvta_generic_to_shared(&rings[warp][0][lane]);
    const Index table = (Index)__cvta_generic_to_shared(&tables[warp][0][lane % (STEPS / 2) * 2]);
    int left = (int)n - (int)start;
    Index slot_to = 0, slot = 0;

    auto load = [&]() {
        #pragma unroll
        for (Index i = 0; i < UNITS / 32; ++i)
            if ((int)(i * APART) < left) fetch(ring + slot_to * sizeof(rings[0][0]) + i * 512, from + i * APART * sizeof(Bits));
        if (lane < STEPS / 2) fetch(table + slot_to * sizeof(tables[0][0]), table_from);
        from += STEPS * LANES * sizeof(Bits);
        table_from += STEPS * sizeof(float2);
        left -= STEPS * LANES;
        slot_to = slot_to + 1 == STAGES ? 0 : slot_to + 1;
        asm volatile("cp.async.commit_group;" ::: "memory");
    };
    for (Index stage = 0; stage + 1 < STAGES; ++stage) load();
    float mean = 0, m2 = 0;
    for (Index first = 0; first < steps_here; first += STEPS) {
        asm volatile("cp.async.wait_group %0;" ::"n"(STAGES - 2) : "memory");
        __syncwarp();
        load();
        const Bits* data = (const Bits*)rings[warp][slot] + lane;
        const float2* inverse = tables[warp][slot];
        if (first + STEPS <= mine) {
            steps<T, STEPS>(data, inverse, first, mean, m2);
        } else {
            Index step = 0, count = mine - first;
            #pragma unroll 1
            for (; step + 8 <= count; step += 8) steps<T, 8>(data + step * 32, inverse + step, first + step, mean, m2);
            plain<T>(data + step * 32, count - step, first + step, mean, m2);
        }
        slot = slot + 1 == STAGES ? 0 : slot + 1;
        __syncwarp();
    }
    Moments warps = reduced({mean, m2, (float)mine});
    if (lane == 0) found[blockIdx.x * (LANES / 32) + column / 32] = make_float4(warps.mean, warps.m2, warps.count, 0);
}

template <class T>
struct Packed {
    static const Index COUNT = 16 / sizeof(typename T::Bits);
    union { uint4 whole; typename T::Bits bits[COUNT]; };
    __device__ Packed() {}
};

const Index THREADS = 256, PACKS = 4;  // of a block, and for each thread

// Where a pack lies: its first channel, and how many of its values come before the next.
struct Place {
    Index channel, split;
    __device__ Place(Index element, Index plane) : channel(element / plane), split((channel + 1) * plane - element) {}
};

// Grid (rows, parts), the last part first: it is the likeliest to be in the cache still. n: elements of a row, plane: of a
// channel. ``rounded``: mean and 1 / deviation are rounded to the tensor's type first. Either output may be missing.
template <class T>
__device__ void normalise(const typename T::Bits* input, const typename T::Bits* weight, const typename T::Bits* bias,
                          const float4* found, typename T::Bits* output, typename T::Bits* activated, Index n, Index plane,
                          Index groups, float eps, int rounded) {
    typedef Packed<T> Pack;
    __shared__ float mean_shared, scale_shared;
    const size_t start = (size_t)blockIdx.x * n;
    const Index first = ((gridDim.y - 1 - blockIdx.y) * THREADS * PACKS + threadIdx.x) * Pack::COUNT;
    Pack packs[PACKS];
    #pragma unroll
    for (Index i = 0; i < PACKS; ++i) {
        Index element = first + i * THREADS * Pack::COUNT;
        if (element < n) packs[i].whole = *(const uint4*)(input + start + element);
    }
    if (threadIdx.x < 32) {
        Moments own = {0, 0, 0};
        if (threadIdx.x < LANES / 32) {
            float4 one = found[blockIdx.x * (LANES / 32) + threadIdx.x];
            own = {one.x, one.y, one.z};
        }
        own = reduced(own);
        float scale = rsqrtf(__fadd_rn(__fdiv_rn(own.m2, own.count), eps));
        if (threadIdx.x == 0) {
            mean_shared = rounded ? T::read(T::write(own.mean)) : own.mean;
            scale_shared = rounded ? T::read(T::write(scale)) : scale;
        }
    }
    __syncthreads();
    const float mean = mean_shared, scale = scale_shared;
    weight += blockIdx.x % groups * (n / plane);
    bias += blockIdx.x % groups * (n / plane);
    #pragma unroll
    for (Index i = 0; i < PACKS; ++i) {
        Index element = first + i * THREADS * Pack::COUNT;
        if (element >= n) continue;
        float a[2], b[2];
        Place place(element, plane);
        #pragma unroll
        for (Index side = 0; side < 2; ++side) {
            Index channel = place.channel + (side && place.split < Pack::COUNT);
            a[side] = __fmul_rn(scale, T::read(weight[channel]));
            b[side] = __fsub_rn(T::read(bias[channel]), __fmul_rn(a[side], mean));  // a branch keeps torch's from being fused
        }
        #pragma unroll
        for (Index k = 0; k < Pack::COUNT; ++k) {
            bool side = k >= place.split;
            packs[i].bits[k] = T::write(__fmaf_rn(side ? a[1] : a[0], T::read(packs[i].bits[k]), side ? b[1] : b[0]));
        }
        if (output) *(uint4*)(output + start + element) = packs[i].whole;
        if (!activated) continue;
        #pragma unroll
        for (Index k = 0; k < Pack::COUNT; ++k) {
            float y = T::read(packs[i].bits[k]);
            packs[i].bits[k] = T::write(__fdiv_rn(y, __fadd_rn(1.0f, expf(-y))));
        }
        *(uint4*)(activated + start + element) = packs[i].whole;
    }
}

// In place on n elements of planes, channel by channel.
template <class T>
__device__ void add(typename T::Bits* values, const typename T::Bits* bias, Index n, Index plane, Index channels) {
    typedef Packed<T> Pack;
    const Index first = (blockIdx.x * THREADS * PACKS + threadIdx.x) * Pack::COUNT;
    Pack packs[PACKS];
    #pragma unroll
    for (Index i = 0; i < PACKS; ++i) {
        Index element = first + i * THREADS * Pack::COUNT;
        if (element < n) packs[i].whole = *(const uint4*)(values + element);
    }
    #pragma unroll
    for (Index i = 0; i < PACKS; ++i) {
        Index element = first + i * THREADS * Pack::COUNT;
        if (element >= n) continue;
        Place place(element, plane);
        float here = T::read(bias[place.channel % channels]), next = T::read(bias[(place.channel + 1) % channels]);
        #pragma unroll
        for (Index k = 0; k < Pack::COUNT; ++k)
            packs[i].bits[k] = T::write(__fadd_rn(T::read(packs[i].bits[k]), k >= place.split ? next : here));
        *(uint4*)(values + element) = packs[i].whole;
    }
}

}  // namespace

#define OF_TYPE(TYPE, NAME) \
    extern "C" __global__ void __launch_bounds__(128) moments_##NAME( \
        const TYPE::Bits* input, const float2* inverses, float4* found, Index n) { \
        moments<TYPE>(input, inverses, found, n); \
    } \
    extern "C" __global__ void __launch_bounds__(256) normalise_##NAME( \
        const TYPE::Bits* input, const TYPE::Bits* weight, const TYPE::Bits* bias, const float4* found, TYPE::Bits* output, \
        TYPE::Bits* activated, Index n, Index plane, Index groups, float eps, int rounded) { \
        normalise<TYPE>(input, weight, bias, found, output, activated, n, plane, groups, eps, rounded); \
    } \
    extern "C" __global__ void __launch_bounds__(256) add_##NAME( \
        TYPE::Bits* values, const TYPE::Bits* bias, Index n, Index plane, Index channels) { \
        add<TYPE>(values, bias, n, plane, channels); \
    }

OF_TYPE(Half, float16)
OF_TYPE(Brain, bfloat16)
OF_TYPE(Single, float32)
