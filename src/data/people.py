"""The keypoints of people as COCO has them (Lin et al., 2014), with how far its annotators differ in each."""

_OF_EACH = {  # name: sigma of object keypoint similarity, relative to the square root of the object's area
    "nose": 0.026,
    "left_eye": 0.025,
    "right_eye": 0.025,
    "left_ear": 0.035,
    "right_ear": 0.035,
    "left_shoulder": 0.079,
    "right_shoulder": 0.079,
    "left_elbow": 0.072,
    "right_elbow": 0.072,
    "left_wrist": 0.062,
    "right_wrist": 0.062,
    "left_hip": 0.107,
    "right_hip": 0.107,
    "left_knee": 0.087,
    "right_knee": 0.087,
    "left_ankle": 0.089,
    "right_ankle": 0.089,
}
KEYPOINTS = tuple(_OF_EACH)  # left and right are the person's own
SIGMAS = tuple(_OF_EACH.values())
FLIP_PAIRS = tuple((left, left + 1) for left in range(1, len(KEYPOINTS), 2))
SKELETON = (  # from the ankles up
    *((15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8)),
    *((7, 9), (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6)),
)
